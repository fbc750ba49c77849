//! The tutorial, done as it says: its files are written, its commands are run, and what they print is compared.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::markdown;
use crate::server::{Server, standin};
use crate::support::write;
use crate::tree::read;

const PAGE: &str = "docs/tutorial.md";

/// What the reader has: a folder, a terminal, and another one for the server.
struct Reader {
    folder: tempfile::TempDir,
    server: Option<(Server, String)>,
}

impl Reader {
    /// Does what a block of commands says, and gives what it prints and whether it went well.
    fn follow(&mut self, commands: &str) -> (String, bool) {
        if let Some(arguments) = commands.trim_end().strip_prefix("standin serve ") {
            // The one that ran until now is stopped first.
            self.server = None;
            let mut command = standin();
            command.current_dir(self.folder.path()).arg("serve").args(arguments.split(' '));
            command.args(["--port", "0", "--log", "off"]);
            let mut server = Server::spawn(command);
            let rest = server.start_text();
            let text = format!("{}\n{rest}", server.first_line);
            let port = server.port().to_string();
            let text = text.replace(&port, "4010");
            self.server = Some((server, port));
            return (text, true);
        }
        let port = self.server.as_ref().map_or("4010", |(_, port)| port.as_str());
        let binary = Path::new(env!("CARGO_BIN_EXE_standin")).parent().unwrap();
        let search = std::env::var_os("PATH").unwrap_or_default();
        let search = [binary.to_path_buf()].into_iter().chain(std::env::split_paths(&search));
        let output = Command::new("bash")
            .args(["-c", &format!("{{\n{}\n}} 2>&1", commands.replace("4010", port))])
            .env("PATH", std::env::join_paths(search).unwrap())
            .env("NO_COLOR", "1")
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .expect("bash and curl are there");
        (String::from_utf8_lossy(&output.stdout).replace(port, "4010"), output.status.success())
    }
}

#[test]
fn the_tutorial_does_what_it_shows() {
    let page = read(PAGE);
    let lines: Vec<&str> = page.lines().collect();
    let mut reader = Reader { folder: tempfile::tempdir().unwrap(), server: None };
    let (mut files, mut compared) = (0, 0);
    let mut printed: Option<String> = None;
    for block in markdown::blocks(&page) {
        let place = format!("{PAGE}:{}", block.line);
        if block.info.contains('/') {
            let heading = lines[..block.line - 1].iter().rev().find(|line| !line.is_empty());
            assert_eq!(heading, Some(&format!("`{}`:", block.info).as_str()), "{place}: the file has another name");
            write(reader.folder.path(), &block.info, &block.text);
            files += 1;
        } else if block.language == "sh" {
            let (text, good) = reader.follow(&block.text);
            assert_eq!(good, block.info != "fails", "{place}:\n{}\n{text}", block.text);
            printed = Some(text);
        } else {
            let text = printed.take().unwrap_or_else(|| panic!("{place}: nothing has been printed"));
            assert!(!block.text.contains('…'), "{place}: the output is shown as a whole");
            assert!(
                markdown::matches(&block.text, &text),
                "{place}: the page shows\n{}\nand it prints\n{text}",
                block.text
            );
            compared += 1;
        }
    }
    assert!(files > 30 && compared > 10, "{files} files and {compared} outputs");
}
