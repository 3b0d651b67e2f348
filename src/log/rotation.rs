//! Rotation: `PATH` becomes `PATH.1`, that `PATH.2` and so on.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Moves the file at `path` away, so that with the new one there are at most `count` files; the oldest is overwritten. Whatever
/// has the name of an older file and is none is left where it is. A failure may be tried again without loss.
pub fn rotate(path: &Path, count: u32) -> io::Result<()> {
    let mut names = vec![path.to_owned()];
    for number in 1..count {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        let name = PathBuf::from(name);
        match fs::symlink_metadata(&name) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => names.push(name),
            // The first free name: those behind it need not move.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                names.push(name);
                break;
            }
            Err(error) => return Err(error),
        }
    }
    if names.len() < 2 {
        return Err(io::Error::other("folders have the names of its older files"));
    }
    for pair in names.windows(2).rev() {
        if let [newer, older] = pair {
            fs::rename(newer, older)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_files_move_up_and_what_is_no_file_stays() {
        // Files before (`/` marks a folder), how many are kept, and files after; contents are the names they had.
        for (before, count, after) in [
            ("a", 3, "a.1=a"),
            ("a a.1", 3, "a.1=a a.2=a.1"),
            ("a a.1 a.2", 3, "a.1=a a.2=a.1"),
            ("a a.2", 3, "a.1=a a.2=a.2"),
            ("a a.1/ a.2", 3, "a.1/ a.2=a"),
            ("a a.1/", 3, "a.1/ a.2=a"),
            ("a a.1 a.2/", 3, "a.1=a a.2/"),
            ("a a.1/ a.2 a.3", 4, "a.1/ a.2=a a.3=a.2"),
            ("a a.1/ a.2/", 3, "error a=a a.1/ a.2/"),
        ] {
            let folder = std::env::temp_dir().join(format!("susv-rotation-{}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir(&folder).expect("a folder");
            for name in before.split(' ') {
                match name.strip_suffix('/') {
                    // Not empty, and of the kind that a rename would move.
                    Some(name) => fs::create_dir_all(folder.join(name).join("below")).expect("a folder"),
                    None => fs::write(folder.join(name), name).expect("a file"),
                }
            }
            let mut found = Vec::new();
            if rotate(&folder.join("a"), count).is_err() {
                found.push("error".to_owned());
            }
            let mut names: Vec<_> =
                fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("one").file_name()).collect();
            names.sort();
            for name in names {
                let text = fs::read_to_string(folder.join(&name));
                let name = name.to_str().expect("text");
                found.push(text.map_or_else(|_| format!("{name}/"), |text| format!("{name}={text}")));
            }
            assert_eq!(found.join(" "), after, "{before}");
            fs::remove_dir_all(folder).expect("removed");
        }
    }
}
