//! The command line, and the only place that knows exit codes.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use crate::catalog::{folder_name, load_once};
use crate::config::{self, Settings, VersionChoice};
use crate::file::folder_of;
use crate::problem::Language;
use crate::routes;
use crate::server;
use crate::sys;
use crate::text::to_hex;

/// It ran and ended as asked; with `-t`: no problem.
const SUCCESS: u8 = 0;
/// It could not start; with `-t`: there are problems.
const FAILURE: u8 = 1;
/// The command line was wrong.
const USAGE: u8 = 2;
/// The configuration is wrong (`EX_CONFIG` of sysexits).
const CONFIGURATION: u8 = 78;

const HELP: &str = "\
susv: firmware-update and licence server for cash registers

  susv [-c FILE]       serve; the configuration is FILE, else config.ini in this folder
  susv [-c FILE] -t    load everything, print what would be offered and every problem; exit 0 if there is none
  susv --init DIR      create DIR with a commented config.ini and the folders firmware and licenses; overwrites nothing
  susv -h, --help      this text
  susv -V, --version   the version

Signals: SIGTERM and SIGINT stop (downloads under way are finished), SIGHUP reloads.
Exit codes: 0 done, 1 could not start (with -t: there are problems), 2 wrong usage, 78 wrong configuration.
";

/// What `--init` writes; it is also what is shipped.
const SAMPLE_CONFIG: &str = include_str!("../config.ini");

enum Command {
    Serve,
    Test,
    Init(PathBuf),
    Help,
    Version,
}

/// Runs the program with the arguments behind its name.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let code = match parse(arguments) {
        Ok((Command::Serve, file)) => with_settings(&file, |settings| match server::run(settings) {
            Ok(()) => SUCCESS,
            Err(error) => fail(FAILURE, &error.to_string()),
        }),
        Ok((Command::Test, file)) => with_settings(&file, test),
        Ok((Command::Init(folder), _)) => init(&folder),
        Ok((Command::Help, _)) => print(HELP),
        Ok((Command::Version, _)) => print(&format!("susv {}\n", routes::SUSV_VERSION)),
        Err(reason) => fail(USAGE, &format!("{reason}; \"susv --help\" lists what is understood")),
    };
    ExitCode::from(code)
}

fn parse(mut arguments: impl Iterator<Item = OsString>) -> Result<(Command, PathBuf), String> {
    let mut file = None;
    let mut command = None;
    while let Some(argument) = arguments.next() {
        let mut operand =
            |what| arguments.next().map(PathBuf::from).ok_or(format!("{} needs {what}", argument.to_string_lossy()));
        let found = match argument.to_str() {
            Some("-c") => {
                if file.replace(operand("a file")?).is_some() {
                    return Err("-c is given twice".to_owned());
                }
                continue;
            }
            Some("-t") => Command::Test,
            Some("--init") => Command::Init(operand("a folder")?),
            Some("-h" | "--help") => Command::Help,
            Some("-V" | "--version") => Command::Version,
            _ => return Err(format!("unknown argument {}", argument.to_string_lossy())),
        };
        if command.replace(found).is_some() {
            return Err("only one of -t, --init, --help and --version can be asked for".to_owned());
        }
    }
    Ok((command.unwrap_or(Command::Serve), file.unwrap_or_else(|| PathBuf::from("config.ini"))))
}

fn with_settings(file: &Path, run: fn(Settings) -> u8) -> u8 {
    match config::load(file) {
        Ok(settings) => run(settings),
        Err(errors) => {
            errors.iter().for_each(|error| {
                fail(CONFIGURATION, &error.to_string());
            });
            CONFIGURATION
        }
    }
}

/// One line to standard error; a closed one is nobody's concern.
#[cold]
fn fail(code: u8, reason: &str) -> u8 {
    let _ = writeln!(std::io::stderr(), "susv: {reason}");
    code
}

#[inline(never)]
fn print(text: &str) -> u8 {
    match sys::standard_output().try_clone_to_owned().and_then(|output| fs::File::from(output).write_all(text.as_bytes())) {
        Ok(()) => SUCCESS,
        Err(_) => FAILURE,
    }
}

/// Prints the picture the server would serve.
fn test(settings: Settings) -> u8 {
    let file = settings.file.to_string_lossy().to_string();
    let firmware_path = settings.firmware_path.clone();
    let catalog = load_once(Arc::new(settings));
    let mut text = format!("{file}: valid\n");
    for (number, offer) in catalog.offers().iter().enumerate() {
        let is_latest = number == 0 && catalog.settings.version == VersionChoice::Latest;
        let choice = if is_latest { " (the latest)" } else { "" };
        let _ = writeln!(text, "offer: version {}{choice}", offer.summary());
        for image in &offer.images {
            let path = firmware_path.join(folder_name(offer.version)).join(image.name);
            let _ =
                writeln!(text, "  {}: {} bytes, SHA-256 {}", path.to_string_lossy(), image.bytes.len(), to_hex(&image.digest));
        }
    }
    if catalog.offers().is_empty() {
        text.push_str("offer: none, registrars are told that there is no update\n");
    }
    let _ = writeln!(text, "licences: {}", catalog.licenses.len());
    for file in &catalog.licenses.files {
        let _ = writeln!(text, "  {}: {}", file.path.to_string_lossy(), file.licenses);
    }
    for (name, list) in [("problems", &catalog.problems), ("hints", &catalog.hints)] {
        let _ = writeln!(text, "{name}: {}", list.len());
        for problem in list {
            let _ = writeln!(text, "  {}", problem.describe(Language::English));
        }
    }
    print(&text).max(if catalog.problems.is_empty() { SUCCESS } else { FAILURE })
}

/// Makes a folder to start from. What is there already stays as it is.
fn init(folder: &Path) -> u8 {
    let config = folder.join("config.ini");
    let result = [folder.to_owned(), folder.join("firmware"), folder.join("licenses")]
        .iter()
        .try_for_each(|path| make_folder(path).map_err(|error| (path.clone(), error)))
        .and_then(|()| {
            let file = fs::OpenOptions::new().write(true).create_new(true).open(&config);
            match file.and_then(|mut file| file.write_all(config_without_sample().as_bytes())) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    Ok(format!("{} was there already and is unchanged", config.to_string_lossy()))
                }
                Err(error) => Err((config.clone(), error)),
                Ok(()) => Ok(format!("created {}", config.to_string_lossy())),
            }
        });
    match result {
        Ok(text) => print(&format!(
            "{text}\nNext: copy a firmware folder (named yyyymmdd) to {}, licence files (.slf) to {}, then: susv -c {}\n",
            folder.join("firmware").to_string_lossy(),
            folder.join("licenses").to_string_lossy(),
            config.to_string_lossy()
        )),
        Err((path, error)) => {
            fail(FAILURE, &format!("cannot create {} ({error}): choose a folder you may write to", path.to_string_lossy()))
        }
    }
}

/// Makes a folder and those above it. What is there already stays as it is.
fn make_folder(path: &Path) -> io::Result<()> {
    let result = fs::create_dir(path);
    match result.as_ref().map_err(io::Error::kind) {
        Err(io::ErrorKind::NotFound) if !folder_of(path).as_os_str().is_empty() => {
            make_folder(folder_of(path)).and_then(|()| fs::create_dir(path))
        }
        Err(io::ErrorKind::AlreadyExists) if path.is_dir() => Ok(()),
        _ => result,
    }
}

/// The shipped configuration for a folder without the sample firmware: it offers the newest version that is copied there.
fn config_without_sample() -> String {
    let lines = SAMPLE_CONFIG.split_inclusive('\n');
    lines
        .map(|line| if line.trim_ascii_end() == SAMPLE_VERSION_LINE { "current_firmware_version = latest\n" } else { line })
        .collect()
}

const SAMPLE_VERSION_LINE: &str = "current_firmware_version = 20000101";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_configuration_is_valid_with_and_without_the_sample() {
        let version = |text: &str| config::parse(Path::new("config.ini"), text.as_bytes()).map(|settings| settings.version);
        assert_eq!(version(SAMPLE_CONFIG), Ok(VersionChoice::Fixed(20000101)));
        assert_eq!(version(&config_without_sample()), Ok(VersionChoice::Latest));
    }

    #[test]
    fn arguments_that_make_no_sense_are_refused() {
        let parse = |text: &str| parse(text.split_whitespace().map(OsString::from)).map(|(_, file)| file);
        assert_eq!(parse(""), Ok(PathBuf::from("config.ini")));
        assert_eq!(parse("-t -c a.ini"), Ok(PathBuf::from("a.ini")));
        for text in ["-c", "-c a -c b", "-t -t", "-t -V", "--init", "-x", "config.ini", "--config a"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
