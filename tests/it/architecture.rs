//! The invariants of ARCHITECTURE.md. Each finding names the file, the line and the rule.

use crate::rust::{Source, line};
use crate::tree::{files, read};

/// The modules by row, lowest first. A module uses lower rows only; neighbours on a row do not use each other.
const ROWS: &[&[&str]] = &[
    &["exchange", "clock", "diagnostic"],
    &["expr", "schema", "journal", "stub", "junit"],
    &["pack"],
    &["sandbox"],
    &["coverage", "engine", "mask", "metrics", "line"],
    &["bundle", "reload", "webhook", "client"],
    &["record"],
    &["control", "check", "scenario"],
    &["ui"],
    &["server"],
    &["cli"],
    &["main"],
];

/// A crate or part of the standard library, and the only places that may use it.
const CONFINED: &[(&str, &[&str])] = &[
    ("hyper", &["src/server/", "src/webhook/exchange.rs", "src/client/"]),
    ("hyper_util", &["src/server/", "src/webhook/exchange.rs", "src/client/"]),
    ("http_body_util", &["src/server/", "src/webhook/exchange.rs", "src/client/"]),
    // Of the sandbox it is the lock for tasks, which needs no runtime.
    (
        "tokio",
        &[
            "src/server/",
            "src/cli/",
            "src/webhook/",
            "src/client/",
            "src/line/",
            "src/scenario/run/",
            "src/sandbox/exchange.rs",
        ],
    ),
    ("arc_swap", &["src/sandbox/"]),
    ("tokio_rustls", &["src/server/tls.rs", "src/line/tls.rs", "src/webhook/tls.rs"]),
    ("rustls_native_certs", &["src/line/tls.rs"]),
    ("url", &["src/webhook/", "src/client/", "src/line/tls.rs"]),
    // What goes out of a server has asked the gate; what a command calls was named on its command line.
    ("TcpStream::connect", &["src/webhook/client.rs", "src/client/pool.rs"]),
    ("lookup_host", &["src/webhook/client.rs", "src/client/pool.rs"]),
    ("crate::client", &["src/client/", "src/cli/", "src/scenario/"]),
    ("rcgen", &["src/server/tls.rs"]),
    ("clap", &["src/cli/"]),
    ("minijinja", &["src/expr/"]),
    ("jsonschema", &["src/schema/"]),
    ("json_patch", &["src/engine/repair/"]),
    ("regex_automata", &["src/stub/pattern.rs"]),
    ("serde_json_path", &["src/stub/jsonpath.rs"]),
    ("saphyr_parser", &["src/pack/source/"]),
    ("notify", &["src/reload/"]),
    ("prometheus_client", &["src/metrics.rs"]),
    ("rust_embed", &["src/pack/files.rs"]),
    ("std::fs", &["src/pack/files.rs", "src/cli/"]),
    ("std::env", &["src/cli/"]),
    ("std::process", &["src/cli/", "src/main.rs"]),
    // Processes are started at one place only.
    ("Command::new", &["src/cli/exec.rs"]),
    ("process::Command", &["src/cli/exec.rs"]),
    ("std::net", &["src/server/", "src/cli/", "src/webhook/", "src/client/", "src/line/tls.rs"]),
    // The expression functions sign with it, which needs a source even where nothing is drawn.
    ("SystemRandom", &["src/cli/access.rs", "src/expr/functions.rs"]),
    ("std::thread", &["src/server/", "src/cli/", "src/reload/"]),
    ("SystemTime::now", &["src/server/", "src/cli/"]),
    ("Instant::now", &["src/server/", "src/cli/"]),
];

/// Words of resources that are everyday words too, so that `src` may use them.
const EVERYDAY: &[&str] =
    &["account", "activity", "client", "entity", "event", "integration", "message", "session", "token", "user"];

/// The most lines that a file may have: beyond it there is a seam.
const MOST_LINES: usize = 600;

struct File {
    path: String,
    text: String,
    source: Source,
}

fn sources() -> Vec<File> {
    let paths = files("src").into_iter().filter(|path| path.ends_with(".rs"));
    let sources: Vec<File> = paths
        .map(|path| {
            let text = read(&path);
            File { source: Source::new(&text), path, text }
        })
        .collect();
    assert!(sources.len() > 50, "the sources are not where they are looked for");
    sources
}

fn none(findings: Vec<String>) {
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

/// The row of a module, and its name.
fn row(module: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&module))
}

/// The module that a file belongs to; none for `lib.rs`, which only lists them.
fn module(path: &str) -> Option<&str> {
    let name = path.strip_prefix("src/")?.split('/').next()?;
    let name = name.strip_suffix(".rs").unwrap_or(name);
    (name != "lib").then_some(name)
}

/// Where words stand, as whole words.
fn places<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    let is_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    text.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let bytes = text.as_bytes();
        !is_word(at.checked_sub(1).and_then(|before| bytes.get(before))) && !is_word(bytes.get(at + word.len()))
    })
}

/// The modules that `crate::` leads to, with their places: `crate::a::b`, `crate::{a, b::{c, d}}`.
fn uses(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for at in places(code, "crate") {
        let Some(rest) = code[at..].strip_prefix("crate::") else { continue };
        let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        match rest.strip_prefix('{') {
            None => found.push((at, name(rest))),
            Some(group) => {
                let mut depth = 0;
                let mut start = true;
                for (offset, character) in group.char_indices() {
                    match character {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        c if start && !c.is_whitespace() => {
                            found.push((at, name(&group[offset..])));
                            start = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    found
}

#[test]
fn a_module_uses_lower_rows_only() {
    let mut findings = Vec::new();
    for file in sources() {
        let Some(own) = module(&file.path) else { continue };
        let Some(own_row) = row(own) else {
            findings.push(format!("{}:1: `{own}` has no row: give it one in ROWS and in ARCHITECTURE.md", file.path));
            continue;
        };
        for (at, used) in uses(&file.source.code) {
            let place = format!("{}:{}", file.path, line(&file.text, at));
            match row(&used) {
                _ if used == own => {}
                None => findings.push(format!("{place}: `crate::{used}` is no module of the table")),
                Some(other) if other < own_row => {}
                Some(other) if other == own_row => {
                    findings.push(format!(
                        "{place}: `{own}` uses `{used}`: neighbours on row {own_row} do not use each other"
                    ));
                }
                Some(other) => {
                    findings.push(format!(
                        "{place}: `{own}` (row {own_row}) uses `{used}` (row {other}): only lower rows may be used"
                    ));
                }
            }
        }
        // `super::` out of a module would get round the table.
        let depth = file.path.trim_start_matches("src/").trim_end_matches("/mod.rs").split('/').count();
        for at in places(&file.source.product_code, "super") {
            let rest = &file.source.product_code[at..];
            let steps = rest.split("::").take_while(|part| *part == "super").count();
            if steps >= depth {
                let place = format!("{}:{}", file.path, line(&file.text, at));
                findings.push(format!("{place}: `super` leads out of `{own}`: other modules are reached by `crate::`"));
            }
        }
    }
    none(findings);
}

#[test]
fn pages_are_a_client_of_the_control_plane_and_of_nothing_else() {
    let mut findings = Vec::new();
    for file in sources().iter().filter(|file| module(&file.path) == Some("ui")) {
        for (at, used) in uses(&file.source.product_code) {
            // A sandbox is handed through to the control plane, and is nothing that a page looks into.
            let through = used == "sandbox" && file.path == "src/ui/mod.rs";
            if !through && !["clock", "control", "diagnostic", "exchange", "expr", "ui"].contains(&used.as_str()) {
                let place = format!("{}:{}", file.path, line(&file.text, at));
                findings.push(format!("{place}: `{used}`: what a page needs, the control plane says"));
            }
        }
    }
    none(findings);
}

#[test]
fn the_table_is_the_map_of_the_library() {
    let library = read("src/lib.rs");
    let mut listed: Vec<&str> = library
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    let mut known: Vec<&str> = ROWS.iter().flat_map(|row| row.iter()).copied().filter(|name| *name != "main").collect();
    listed.sort_unstable();
    known.sort_unstable();
    assert_eq!(listed, known, "the modules of src/lib.rs, and those of ROWS");
    let page = read("ARCHITECTURE.md");
    for (number, row) in ROWS.iter().enumerate() {
        let wanted = format!("{number}  {}", row.join("  "));
        assert!(page.contains(&wanted), "ARCHITECTURE.md has no line `{wanted}`");
    }
}

#[test]
fn crates_and_the_outer_world_are_used_at_their_place_only() {
    let mut findings = Vec::new();
    for file in sources() {
        let code = &file.source.product_code;
        for (name, allowed) in CONFINED {
            if allowed.iter().any(|place| file.path.starts_with(place)) {
                continue;
            }
            for at in places(code, name) {
                // A crate is followed by `::`; another thing of that name is not meant.
                if name.contains("::") || code[at + name.len()..].starts_with("::") {
                    let place = format!("{}:{}", file.path, line(&file.text, at));
                    findings.push(format!("{place}: `{name}` is used in {} only", allowed.join(", ")));
                }
            }
        }
        if !file.path.starts_with("src/cli/") {
            for code in ["\\x1b", "\\u{1b}", "\u{1b}"] {
                for (at, _) in file.source.product.match_indices(code) {
                    findings.push(format!(
                        "{}:{}: terminal codes are written in src/cli only",
                        file.path,
                        line(&file.text, at)
                    ));
                }
            }
        }
    }
    none(findings);
}

#[test]
fn the_engine_and_what_it_stands_on_never_wait_and_hold_no_lock() {
    let pure = ["coverage", "engine", "expr", "schema", "stub", "pack", "journal", "exchange", "clock", "diagnostic"];
    let mut findings = Vec::new();
    for file in sources().iter().filter(|file| module(&file.path).is_some_and(|module| pure.contains(&module))) {
        for word in ["async", "await", "Mutex", "RwLock", "parking_lot"] {
            for at in places(&file.source.product_code, word) {
                let place = format!("{}:{}", file.path, line(&file.text, at));
                findings.push(format!("{place}: `{word}`: nothing here waits or locks; sandboxes do"));
            }
        }
    }
    none(findings);
}

#[test]
fn nothing_is_global_and_changes() {
    let mut findings = Vec::new();
    for file in sources() {
        let code = &file.source.product_code;
        for word in ["static", "thread_local"] {
            // `'static` is a lifetime. `main.rs` chooses the allocator of the process.
            for at in places(code, word).filter(|at| !code[..*at].ends_with('\'') && file.path != "src/main.rs") {
                let place = format!("{}:{}", file.path, line(&file.text, at));
                findings.push(format!("{place}: `{word}`: two servers in one process do not see each other"));
            }
        }
    }
    none(findings);
}

#[test]
fn nothing_panics_on_purpose() {
    let mut findings = Vec::new();
    for file in sources() {
        for word in [".unwrap()", ".expect(", "panic!", "todo!", "unimplemented!", "dbg!"] {
            for (at, _) in file.source.product_code.match_indices(word) {
                let place = format!("{}:{}", file.path, line(&file.text, at));
                findings.push(format!("{place}: `{word}`: a failure is a value here"));
            }
        }
    }
    none(findings);
}

#[test]
fn files_are_short() {
    let rust = ["src", "tests", "benches"].into_iter().flat_map(files).filter(|path| path.ends_with(".rs"));
    let long = rust.filter_map(|path| {
        let lines = read(&path).lines().count();
        (lines > MOST_LINES)
            .then(|| format!("{path}:{lines}: a file has at most {MOST_LINES} lines: look for the seam"))
    });
    none(long.collect());
}

/// The names of the packs, and of the things that their APIs keep.
fn vendor_words() -> Vec<String> {
    let mut words = Vec::new();
    for path in files("fixtures").iter().filter(|path| path.ends_with("/pack.yaml")) {
        words.extend(path.split('/').nth(1).map(str::to_owned));
        let text = read(path);
        let resources = text.lines().skip_while(|line| *line != "resources:").skip(1);
        let resources = resources.take_while(|line| line.is_empty() || line.starts_with([' ', '#']));
        for line in resources {
            if let Some(name) = line.strip_prefix("  ").filter(|rest| rest.starts_with(|c: char| c.is_alphabetic()))
                && let Some(name) = name.trim_end().strip_suffix(':')
                && !EVERYDAY.contains(&name)
            {
                words.push(name.to_lowercase());
            }
        }
    }
    assert!(words.len() >= 2, "no pack has a name or a resource: {words:?}");
    words.sort();
    words.dedup();
    words
}

#[test]
fn no_api_is_named() {
    let words = vendor_words();
    let mut findings = Vec::new();
    for file in sources() {
        let product = file.source.product.to_lowercase().replace('_', " ");
        for word in &words {
            for name in [word.clone(), format!("{word}s")] {
                for at in places(&product, &name) {
                    let place = format!("{}:{}", file.path, line(&product, at));
                    findings.push(format!("{place}: `{name}` is a word of an API: APIs are data, in fixtures"));
                }
            }
        }
    }
    none(findings);
}

#[test]
fn no_file_names_a_place_of_one_machine() {
    let private = ["home", "root", "Users", "work"].map(|name| format!("/{name}/"));
    let mut findings = Vec::new();
    for path in files("") {
        let Ok(text) = std::fs::read_to_string(crate::tree::root().join(&path)) else { continue };
        for (number, line) in text.lines().enumerate() {
            for name in &private {
                // A path begins here; `docs/work/x` and `host/home/` are other things.
                let begins = |at: usize| {
                    line[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && !"/.-_}~*".contains(c))
                };
                if line.match_indices(name.as_str()).any(|(at, _)| begins(at)) {
                    findings.push(format!("{path}:{}: `{name}…` is a path of one machine", number + 1));
                }
            }
        }
    }
    none(findings);
}

#[test]
fn uses_are_found_alone_and_in_groups() {
    let code = "use crate::a::b; use crate::{c, d::{e, f}, g}; fn x() { crate::h::y() } use supercrate::z;";
    let found: Vec<String> = uses(code).into_iter().map(|(_, name)| name).collect();
    assert_eq!(found, ["a", "c", "d", "g", "h"]);
    assert_eq!((row("clock"), row("main"), row("elsewhere")), (Some(0), Some(11), None));
    assert_eq!(
        (module("src/pack/source/node.rs"), module("src/main.rs"), module("src/lib.rs")),
        (Some("pack"), Some("main"), None)
    );
}
