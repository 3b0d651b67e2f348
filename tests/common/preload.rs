//! Libraries that are loaded before the C library's functions, so that a test decides what the server's disk does.

use std::process::Command;

use crate::common::{Folder, Server, susv};

/// The program under test with a library made from C; `None` where there is no compiler, or an emulator runs the program.
pub fn with_library(folder: &Folder, source: &str) -> Option<Command> {
    if std::env::var_os("SUSV_RUNNER").is_some() {
        println!("skipped: a library cannot be preloaded into an emulated program");
        return None;
    }
    let source = folder.write("preload.c", source);
    let library = folder.path().join("preload.so");
    let built = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-w", "-o"]).args([&library, &source]).arg("-ldl").status();
    if !built.is_ok_and(|status| status.success()) {
        println!("skipped: there is no working cc");
        return None;
    }
    let mut command = susv();
    command.env("LD_PRELOAD", library);
    Some(command)
}

/// Whether a server that was started so has loaded it: a static one does not.
pub fn is_loaded(server: &Server) -> bool {
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", server.id())).unwrap_or_default();
    let is_loaded = maps.contains("preload.so");
    if !is_loaded {
        println!("skipped: the program is static");
    }
    is_loaded
}
