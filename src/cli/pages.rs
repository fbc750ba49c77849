//! `standin completions` and `standin man`: what is made of the arguments for shells and for readers.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Command, CommandFactory as _};
use clap_complete::Shell;

use super::Exit;
use super::args::Arguments;
use super::output::out;
use super::serve::usage;

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

#[derive(Debug, Args)]
pub(super) struct Man {
    /// Folder that the pages of all commands are written to; without it, the page of `standin` itself is printed
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub(super) fn complete(arguments: &Completions) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "standin", &mut script);
    out(&String::from_utf8_lossy(&script));
    Exit::Good
}

pub(super) fn man(arguments: &Man) -> Exit {
    let mut program = Arguments::command();
    // It gives every command the name that it is called by: `standin-serve`.
    program.build();
    let Some(folder) = &arguments.output else {
        out(&page(program).1);
        return Exit::Good;
    };
    match fs::create_dir_all(folder).and_then(|()| write(folder, program)) {
        Ok(()) => Exit::Good,
        Err(error) => usage(&format!(
            "--output {}: the pages cannot be written ({error}): name a folder that may be written to",
            folder.display()
        )),
    }
}

/// The pages of a command and of those within it.
fn write(folder: &Path, command: Command) -> std::io::Result<()> {
    command.get_subcommands().try_for_each(|within| write(folder, within.clone()))?;
    let (name, text) = page(command);
    let file = folder.join(name);
    fs::write(&file, text)?;
    out(&format!("{}\n", file.display()));
    Ok(())
}

/// The page of a command, and the name of its file.
fn page(command: Command) -> (String, String) {
    let man = clap_mangen::Man::new(command).source(concat!("standin ", env!("CARGO_PKG_VERSION"))).manual("standin");
    let mut text = Vec::new();
    // Nothing fails that is written to memory.
    let _ = man.render(&mut text);
    (man.get_filename(), String::from_utf8_lossy(&text).into_owned())
}
