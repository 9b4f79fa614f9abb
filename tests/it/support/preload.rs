//! Small libraries that are laid over the C library of the server, to make it live through what seldom happens.

use std::path::PathBuf;
use std::process::Command;

use super::process::{Setup, write};

/// The setup, with this C source compiled and loaded before everything else.
pub(crate) fn preload(setup: Setup, name: &str, source: &str) -> Setup {
    let (code, library) = (setup.beside(&format!("{name}.c")), setup.beside(&format!("{name}.so")));
    write(&code, source);
    let compiled =
        Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&code).arg("-ldl").output();
    let compiled = compiled.expect("a C compiler, as building the server needs one too");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    setup.environment("LD_PRELOAD", &library.display().to_string())
}

/// The wall clock of a server, which the test puts forward.
pub(crate) struct Later(PathBuf);

impl Later {
    /// The setup of a server with such a clock.
    pub(crate) fn over(setup: Setup) -> (Setup, Later) {
        let file = setup.beside("later");
        write(&file, "0");
        let setup = preload(setup, "later", include_str!("later.c"));
        (setup.environment("LATER_BY", &file.display().to_string()), Later(file))
    }

    /// From now on it is so many seconds later than it is.
    pub(crate) fn by(&self, seconds: u64) {
        // Replaced in one step: the server must not read half a number.
        let new = self.0.with_extension("new");
        write(&new, &seconds.to_string());
        std::fs::rename(&new, &self.0).expect("the clock's file");
    }
}
