//! The program `susv`; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    susv::cli::run(std::env::args_os().skip(1))
}
