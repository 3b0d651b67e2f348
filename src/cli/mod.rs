//! The command line, and the only place that knows exit codes.

mod report;

mod init;
mod language;
mod start_check;
mod user;
mod words;

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::calendar;
use crate::config::{self, Effect, Reading};
use crate::limits;
use crate::problem::{Detail, Language, Sentence};
use crate::routes;
use crate::server;
use crate::sys;
use crate::text::quote;

use report::Registrar;

/// It ran and ended as asked; with `-t`: no problem.
const SUCCESS: u8 = 0;
/// It could not start; with `-t`: there are problems.
const FAILURE: u8 = 1;
/// The command line was wrong.
const USAGE: u8 = 2;
/// The configuration is wrong (`EX_CONFIG` of sysexits).
const CONFIGURATION: u8 = 78;

#[derive(Debug, PartialEq)]
enum Command {
    Serve,
    Test(Option<Registrar>),
    Init(PathBuf),
    Help,
    Version,
}

/// Runs the program with the arguments after its name.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let language = language::of_environment();
    let code = match parse(arguments) {
        Ok((Command::Serve, file)) => serve(&file),
        Ok((Command::Test(registrar), file)) => test(&file, registrar, language),
        Ok((Command::Init(folder), _)) => init(&folder, language),
        Ok((Command::Help, _)) => print(&words::HELP.template(language)),
        Ok((Command::Version, _)) => print(&format!("susv {} ({})\n", routes::SUSV_VERSION, routes::SUSV_COMMIT)),
        Err(reason) => fail(USAGE, &(reason.say(language) + &words::SEE_HELP.template(language))),
    };
    ExitCode::from(code)
}

fn parse(mut arguments: impl Iterator<Item = OsString>) -> Result<(Command, PathBuf), Sentence> {
    let refuse = |text| Sentence::new(text, Vec::new());
    let (mut file, mut command, mut address, mut build_date) = (None, None, None, None);
    while let Some(argument) = arguments.next() {
        let shown = argument.to_string_lossy();
        let mut operand = |what| match arguments.next() {
            // Forgotten, and an option follows.
            Some(operand) if operand.as_bytes().starts_with(b"-") => Err(Sentence::new(
                &words::NEEDS_OTHER,
                vec![shown.as_ref().into(), Detail::Words(what), quote_argument(&operand)],
            )),
            Some(operand) => Ok(operand),
            None => Err(Sentence::new(&words::NEEDS, vec![shown.as_ref().into(), Detail::Words(what)])),
        };
        let is_repeated = match argument.to_str() {
            Some("-c") => file.replace(PathBuf::from(operand(&words::FILE)?)).is_some(),
            Some("--as") => address.replace(read_address(&operand(&words::ADDRESS)?)?).is_some(),
            Some("--built") => build_date.replace(read_build_date(&operand(&words::DATE)?)?).is_some(),
            Some("-t") => command.replace(Command::Test(None)).is_some(),
            Some("--init") => command.replace(Command::Init(operand(&words::FOLDER)?.into())).is_some(),
            Some("-h" | "--help") => command.replace(Command::Help).is_some(),
            Some("-V" | "--version") => command.replace(Command::Version).is_some(),
            _ => return Err(Sentence::new(&words::UNKNOWN, vec![quote_argument(&argument)])),
        };
        if is_repeated {
            return Err(Sentence::new(&words::TWICE, vec![shown.into()]));
        }
    }
    let registrar = match (address, build_date) {
        (Some(address), Some(build_date)) => Some((address, build_date)),
        (None, None) => None,
        _ => return Err(refuse(&words::EACH_OTHER)),
    };
    match (&command, &file) {
        (Some(Command::Init(_)), Some(_)) => return Err(refuse(&words::INIT_ALONE)),
        (Some(Command::Test(_)), _) => command = Some(Command::Test(registrar)),
        _ if registrar.is_some() => return Err(refuse(&words::NEED_TEST)),
        _ => {}
    }
    Ok((command.unwrap_or(Command::Serve), file.unwrap_or_else(|| PathBuf::from("config.ini"))))
}

fn quote_argument(argument: &OsStr) -> Detail {
    quote(&argument.to_string_lossy(), limits::QUOTED_BYTES).into()
}

fn read_address(argument: &OsStr) -> Result<IpAddr, Sentence> {
    let address = argument.to_str().and_then(|text| text.parse().ok());
    address.ok_or_else(|| Sentence::new(&words::NOT_ADDRESS, vec![quote_argument(argument)]))
}

fn read_build_date(argument: &OsStr) -> Result<calendar::Date, Sentence> {
    let date = argument.to_str().and_then(calendar::parse_build_date);
    date.ok_or_else(|| Sentence::new(&words::NOT_DATE, vec![quote_argument(argument)]))
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

/// Serves. Mistakes in the settings only matter if nobody knows where to listen.
fn serve(file: &Path) -> u8 {
    let reading = config::read(file);
    if !can_start(&reading) {
        return report_mistakes(&reading, Language::English);
    }
    match server::run(reading) {
        Ok(()) => SUCCESS,
        Err(error) => fail(FAILURE, &error.to_string()),
    }
}

fn can_start(reading: &Reading) -> bool {
    reading.mistakes == 0 || reading.can_listen || sys::has_inherited_listener()
}

/// Every mistake on a line.
fn report_mistakes(reading: &Reading, language: Language) -> u8 {
    reading.problems.iter().for_each(|problem| {
        fail(CONFIGURATION, &problem.describe(language));
    });
    CONFIGURATION
}

/// As root, and where there is a user for the service: looks as this user from now on.
fn look_as_service(language: Language) {
    let Some(user) = user::find_service_user() else { return };
    print_line(&Sentence::new(&words::AS_SERVICE, vec![user.name.as_str().into()]), language);
    if let Err(error) = user::become_user(&user) {
        print_line(&Sentence::new(&words::NOT_AS_SERVICE, vec![error.into()]), language);
    }
}

/// Prints what the service would do.
fn test(file: &Path, registrar: Option<Registrar>, language: Language) -> u8 {
    look_as_service(language);
    let reading = config::read(file);
    if reading.mistakes > 0 {
        let effect = if can_start(&reading) { Effect::NothingOffered } else { Effect::NotStarted };
        let code = report_mistakes(&reading, language);
        return fail(code, &config::describe_effect(file, reading.mistakes, effect).describe(language));
    }
    let (text, has_problems) = report::make(reading, registrar, language);
    let own = user::find_own();
    let is_service = own.as_deref() == Some(user::SERVICE_USER);
    let remark = if is_service { Cow::Borrowed("") } else { words::OTHER_USER.template(language) };
    let own = own.map_or_else(|| words::UNKNOWN_USER.template(language), Cow::Owned);
    let printed = print(&format!("{} {own}{remark}\n{text}", words::AS_USER.template(language)));
    printed.max(if has_problems { FAILURE } else { SUCCESS })
}

/// Makes a folder to start from.
fn init(folder: &Path, language: Language) -> u8 {
    match init::make(folder) {
        Ok(lines) => lines.iter().map(|line| print_line(line, language)).max().unwrap_or(SUCCESS),
        Err((path, error)) => {
            let reason = Sentence::new(&words::CANNOT_CREATE, vec![path.to_string_lossy().into(), error.into()]);
            fail(FAILURE, &reason.say(language))
        }
    }
}

fn print_line(line: &Sentence, language: Language) -> u8 {
    print(&(line.say(language) + "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_that_make_no_sense_are_refused() {
        let parse = |text: &str| parse(text.split_whitespace().map(OsString::from));
        let registrar = Some(("10.0.0.7".parse().expect("an address"), 20171219));
        for (text, command, file) in [
            ("", Command::Serve, "config.ini"),
            ("-t -c a.ini", Command::Test(None), "a.ini"),
            ("--as 10.0.0.7 -t --built 19.12.2017", Command::Test(registrar), "config.ini"),
            ("--init shop", Command::Init("shop".into()), "config.ini"),
        ] {
            assert_eq!(parse(text), Ok((command, PathBuf::from(file))), "{text}");
        }
        for text in [
            "-c",
            "-c a -c b",
            "-t -t",
            "-t -V",
            "--init",
            "-x",
            "config.ini",
            "--config a",
            "-c -t",
            "--init --help",
            "--init -x",
            "-c a --init b",
            "--init b -c a",
            "--as 10.0.0.7 -t",
            "-t --built 19.12.2017",
            "-t --as till --built 19.12.2017",
            "-t --as 10.0.0.7 --built 2017-12-19",
            "--as 10.0.0.7 --built 19.12.2017",
            "-t --as ::1 --as ::1 --built 19.12.2017",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn help_fits_on_one_screen() {
        for help in [Language::English, Language::Russian].map(|language| words::HELP.template(language)) {
            assert!(help.lines().count() <= 24 && help.lines().all(|line| line.chars().count() <= 80), "{help}");
        }
    }
}
