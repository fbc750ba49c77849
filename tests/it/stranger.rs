//! Receivers of webhooks that know nothing of standin: processes of `tests/consumers/receiver`, in Python and Node.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use serde_json::{Value as Json, json};

use crate::server::{Server, call, eventually};
use crate::support::{repository, text};

/// A receiver in a process of its own. Dropping it ends the process.
pub struct Stranger {
    child: Child,
    address: SocketAddr,
}

impl Stranger {
    /// The one in Python, which takes everything until it is given a key or a plan.
    pub fn start(arguments: &[&str]) -> Stranger {
        let mut command = Command::new("python3");
        command.arg("receiver.py").args(arguments);
        Stranger::spawn(command)
    }

    /// The one in Node, which verifies with this key.
    pub fn in_node(key: &str) -> Stranger {
        let mut command = Command::new("node");
        command.args(["receiver.mjs", key]);
        Stranger::spawn(command)
    }

    fn spawn(mut command: Command) -> Stranger {
        command.current_dir(repository("tests/consumers/receiver")).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on http://").and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("{command:?} says {line:?}"));
        Stranger { child, address }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// What it says of each request that came: `line`, `headers`, `body`, `signed`, `answer`.
    #[track_caller]
    pub fn seen(&self) -> Vec<Json> {
        call(self.address, "GET", "/seen", &[], "").expect(200).json().as_array().unwrap().clone()
    }

    /// The bodies that came, as JSON.
    #[track_caller]
    pub fn bodies(&self) -> Vec<Json> {
        self.seen().iter().map(|seen| serde_json::from_str(text(seen, "body")).unwrap()).collect()
    }

    /// Has it verify with another key.
    #[track_caller]
    pub fn key(&self, key: &str) {
        call(self.address, "PUT", "/key", &[], key).expect(200);
    }

    /// How it answers next, in its own words.
    #[track_caller]
    pub fn plan(&self, plan: &str) {
        call(self.address, "PUT", "/plan", &[], plan).expect(200);
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A header of a request that came.
#[track_caller]
pub fn header<'j>(seen: &'j Json, name: &str) -> Option<&'j str> {
    let headers = seen["headers"].as_array().unwrap_or_else(|| panic!("{seen}"));
    headers.iter().find(|pair| pair[0] == name).map(|pair| pair[1].as_str().unwrap())
}

/// All deliveries of the default sandbox, whole, once nothing of them is under way.
#[track_caller]
pub fn landed(server: &Server) -> Vec<Json> {
    eventually("deliveries to land", || {
        let all = server.control("GET", "/webhooks?limit=1000", None).expect(200).json()["records"].clone();
        let all = all.as_array().unwrap();
        let whole = |delivery: &Json| {
            let path = format!("/webhooks/{}?secrets=show", text(delivery, "id"));
            server.control("GET", &path, None).expect(200).json()
        };
        all.iter().all(|delivery| delivery["state"] != "sending").then(|| all.iter().map(whole).collect())
    })
}

/// The only delivery, once nothing of it is under way.
#[track_caller]
pub fn only(server: &Server) -> Json {
    let all = landed(server);
    assert_eq!(all.len(), 1, "{all:#?}");
    all[0].clone()
}

/// What came of each attempt: its instant and, if there was an answer, its status; else the word for what was wrong.
#[track_caller]
pub fn attempts(delivery: &Json) -> Vec<(String, Json)> {
    let attempts = delivery["attempts"].as_array().unwrap_or_else(|| panic!("{delivery:#}"));
    let came = |attempt: &Json| match &attempt["response"] {
        Json::Null => attempt["result"].clone(),
        response => response["status"].clone(),
    };
    attempts.iter().map(|attempt| (text(attempt, "at").to_owned(), came(attempt))).collect()
}

/// Advances time and gives what was done.
#[track_caller]
pub fn advanced(server: &Server, body: Json) -> Vec<Json> {
    let answer = server.control("POST", "/clock/advance", Some(body)).expect(200).json();
    answer["done"].as_array().unwrap().clone()
}

/// Advances to the next thing that is due, and gives when that was.
#[track_caller]
pub fn next(server: &Server) -> String {
    let done = advanced(server, json!({ "to": "next" }));
    text(&done[0], "at").to_owned()
}
