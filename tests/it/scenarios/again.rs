//! `standin run --watch`

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use super::{asking, settled};
use crate::server::{eventually, standin};
use crate::support::{copy, replace, repository};

/// A process that watches, and what it has said so far.
struct Watching {
    child: Child,
    out: Arc<Mutex<String>>,
    err: Arc<Mutex<String>>,
}

fn heard(from: impl std::io::Read + Send + 'static) -> Arc<Mutex<String>> {
    let text = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&text);
    thread::spawn(move || {
        let mut lines = BufReader::new(from).lines();
        while let Some(Ok(line)) = lines.next() {
            kept.lock().unwrap().push_str(&format!("{line}\n"));
        }
    });
    text
}

impl Watching {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (out, err) = (heard(child.stdout.take().unwrap()), heard(child.stderr.take().unwrap()));
        Watching { child, out, err }
    }

    /// What is said until it waits for changes again, once it has for so many times.
    fn said(&self, times: usize) -> (String, String) {
        let waits = || self.err.lock().unwrap().matches("waiting for changes").count() >= times;
        eventually("the end of a run", || waits().then_some(()));
        let take = |text: &Mutex<String>| std::mem::take(&mut *text.lock().unwrap());
        (settled(&take(&self.out)), take(&self.err))
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_a_change_concerns_is_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for part in ["fixtures", "schemas"] {
        copy(&repository(&format!("{part}/reportei")), &path.join(part).join("reportei"));
    }
    asking(&path.join("own"), "One", "", "{ status: 200 }");
    asking(&path.join("own"), "Two", "", "{ status: 200 }");
    let mut command = standin();
    command.args(["run", "--watch", "own"]).current_dir(path);
    let watching = Watching::start(command);
    let (out, _) = watching.said(1);
    assert_eq!(out, "2 scenarios: 2 passed\n");

    replace(&path.join("own/Two.yaml"), "status: 200", "status: 404");
    let (out, _) = watching.said(1);
    assert!(out.starts_with("failed: Two\n") && out.ends_with("\n1 scenario: 1 failed\n"), "{out}");

    replace(&path.join("own/Two.yaml"), "List all customers", "List all costumers");
    let (out, err) = watching.said(1);
    assert!(out.is_empty() && err.contains("own/Two.yaml:4:11"), "{out}{err}");

    replace(&path.join("own/Two.yaml"), "List all costumers", "List all customers");
    replace(&path.join("own/Two.yaml"), "status: 404", "status: 200");
    let mut out = String::new();
    eventually("both to pass", || {
        out.push_str(&watching.said(0).0);
        out.ends_with("1 scenario: 1 passed\n").then_some(())
    });
    watching.said(1);

    // A pack concerns all scenarios about it.
    replace(&path.join("fixtures/reportei/pack.yaml"), "title: ", "title: Another ");
    let (out, _) = watching.said(1);
    assert_eq!(out, "2 scenarios: 2 passed\n");
}
