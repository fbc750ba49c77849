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

    /// What is said until it waits for changes again and has said what is looked for. One change may be noticed in
    /// parts: then it runs more than once, and the last time counts.
    fn until(&self, what: &str, fits: impl Fn(&str, &str) -> bool) -> (String, String) {
        eventually(what, || {
            let (mut out, mut err) = (self.out.lock().unwrap(), self.err.lock().unwrap());
            let told = (settled(&out), err.clone());
            let waits = told.1.ends_with("waiting for changes; Ctrl+C ends\n");
            (waits && fits(&told.0, &told.1)).then(|| {
                out.clear();
                err.clear();
                told
            })
        })
    }

    fn passes(&self, summary: &str) {
        self.until(summary, |out, _| out.ends_with(summary));
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
    watching.passes("2 scenarios: 2 passed\n");

    replace(&path.join("own/Two.yaml"), "status: 200", "status: 404");
    let (out, _) = watching.until("Two to fail", |out, _| out.ends_with("\n1 scenario: 1 failed\n"));
    assert!(out.contains("failed: Two\n") && !out.contains("One"), "{out}");

    replace(&path.join("own/Two.yaml"), "List all customers", "List all costumers");
    let (out, _) = watching.until("the mistake", |_, err| err.contains("own/Two.yaml:4:11"));
    assert!(!out.contains("One"), "{out}");

    replace(&path.join("own/Two.yaml"), "List all costumers", "List all customers");
    replace(&path.join("own/Two.yaml"), "status: 404", "status: 200");
    watching.passes("1 scenario: 1 passed\n");

    // A pack concerns all scenarios about it.
    replace(&path.join("fixtures/reportei/pack.yaml"), "title: ", "title: Another ");
    watching.passes("2 scenarios: 2 passed\n");
}
