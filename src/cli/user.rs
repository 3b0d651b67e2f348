//! The service's user: what `-t` finds is true for the service only if it looks with the same eyes.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::file::read_bounded;
use crate::limits;
use crate::sys;
use crate::text::parse_digits;

/// The user the service files name.
pub const SERVICE_USER: &str = "susv";

/// A line of `/etc/passwd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its name.
    pub name: String,
    uid: u32,
    gid: u32,
}

/// Whom this program runs as, by name if it has one; `None` if that is not known.
pub fn find_own() -> Option<String> {
    let uid = own_uid()?;
    let own = read_users().into_iter().find(|user| user.uid == uid);
    Some(own.map_or_else(|| uid.to_string(), |user| user.name))
}

/// The service's user, if this program runs as root and there is one: as this user it sees what the service sees.
pub fn find_service_user() -> Option<User> {
    // One with root's number sees what root sees.
    let find = || read_users().into_iter().find(|user| user.name == SERVICE_USER && user.uid != 0);
    if own_uid() == Some(0) { find() } else { None }
}

/// From now on this process acts as `user`, without the groups of root. May be called while there are no other threads.
pub fn become_user(user: &User) -> io::Result<()> {
    sys::become_user(user.uid, user.gid)
}

/// The user this process acts for: its folder in /proc is theirs.
fn own_uid() -> Option<u32> {
    fs::metadata("/proc/self").ok().map(|metadata| metadata.uid())
}

fn read_users() -> Vec<User> {
    let text = read_bounded(Path::new("/etc/passwd"), limits::PASSWD_BYTES).unwrap_or_default();
    parse_users(&String::from_utf8_lossy(&text))
}

/// `name:password:uid:gid:…` lines; others are skipped.
fn parse_users(passwd: &str) -> Vec<User> {
    let number = |text: &str| u32::try_from(parse_digits(text.as_bytes())?).ok();
    let parse_line = |line: &str| {
        let mut fields = line.split(':');
        let (name, _, uid, gid) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        Some(User { name: name.to_owned(), uid: number(uid)?, gid: number(gid)? })
    };
    passwd.lines().filter_map(parse_line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_read_from_whole_lines_only() {
        let text = "root:x:0:0:root:/root:/bin/sh\n# susv:x:1:1\n\nsusv:x:998:997::/:/bin/false\nbad:x:-1:0\nshort:x:5\n+nis\n";
        let users: Vec<_> = parse_users(text).into_iter().map(|user| (user.name, user.uid, user.gid)).collect();
        let expected = [("root", 0, 0), ("# susv", 1, 1), ("susv", 998, 997)];
        assert_eq!(users, expected.map(|(name, uid, gid)| (name.to_owned(), uid, gid)));
    }
}
