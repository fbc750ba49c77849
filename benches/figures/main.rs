//! All figures of `docs/performance.md`, taken with one command.
//!
//! `cargo bench --bench figures` runs every part but `build`, which takes long; `cargo bench --bench figures -- hyper start`
//! runs those that are named. `--quick` makes everything short, to see that it works; `--write` puts tables and pictures into
//! `docs/performance`. Servers are processes of their own. Everything that is compared takes its turn in one run, so
//! that a machine that is slow for a while is slow for both.
//!
//! A part is a function from [`Options`] to a [`Section`], and a row of [`PARTS`].

#![allow(clippy::disallowed_methods, reason = "a benchmark measures real time")]

mod bare;
mod chart;
mod client;
mod growth;
mod load;
mod machine;
mod options;
mod parts;
mod process;
mod section;
mod stats;

use std::process::ExitCode;

use options::Options;
use section::Section;

struct Part {
    name: &'static str,
    /// Whether it is run when no part is named.
    usual: bool,
    run: fn(&Options) -> Section,
}

const PARTS: &[Part] = &[
    Part { name: "hyper", usual: true, run: parts::hyper::run },
    Part { name: "start", usual: true, run: parts::start::run },
    Part { name: "memory", usual: true, run: parts::memory::run },
    Part { name: "growth", usual: true, run: growth::run },
    Part { name: "build", usual: false, run: parts::build::run },
];

fn main() -> ExitCode {
    let options = Options::read();
    if let Some(answer) = options.text("--bare") {
        bare::serve(&answer);
        return ExitCode::SUCCESS;
    }
    for name in &options.parts {
        if !PARTS.iter().any(|part| part.name == name) {
            let known: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
            eprintln!("there is no part `{name}`: {}", known.join(", "));
            return ExitCode::from(2);
        }
    }
    for part in PARTS {
        let named = options.parts.iter().any(|name| name == part.name);
        let wanted = if options.parts.is_empty() { part.usual } else { named };
        if !wanted {
            continue;
        }
        let section = (part.run)(&options);
        println!("{}", section.text());
        if options.write {
            section.write(part.name, options.quick);
        }
    }
    ExitCode::SUCCESS
}
