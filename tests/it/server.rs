//! The real binary on a free port, and a client that sends exactly the bytes that it is told to send.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::support::repository;

/// The merchant of the documented customers.
pub const REPORTEI: (&str, &str) = ("Authorization", "Bearer reportei-test-token");
/// The other merchant.
pub const ACME: (&str, &str) = ("Authorization", "Bearer acme-test-token");
pub const JSON: (&str, &str) = ("Content-Type", "application/json");
pub const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// How long anything may take before it counts as stuck. Nothing is measured with it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running `standin serve`. Dropping it ends the process.
pub struct Server {
    child: Child,
    address: SocketAddr,
    stdout: BufReader<ChildStdout>,
    /// What it has written to standard error so far.
    stderr: Arc<Mutex<String>>,
    /// The first line of its standard output.
    pub first_line: String,
}

/// The program, with nothing set that could change what it does.
pub fn standin() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_standin"));
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("NO_COLOR", "1")
        .env_remove("STANDIN_TOKEN")
        .stdin(Stdio::null());
    command
}

impl Server {
    /// Starts `standin serve` on a free port, with a silent log.
    pub fn start(arguments: &[&str]) -> Server {
        let mut command = standin();
        command.args(["serve", "--port", "0", "--log", "off"]).args(arguments);
        Server::spawn(command)
    }

    /// Starts a server of one pack at a frozen time, with these options set.
    pub fn with_options(pack: &str, options: &[&str]) -> Server {
        let options = options.iter().flat_map(|option| ["--option", *option]);
        let arguments: Vec<&str> = [pack, "--freeze"].into_iter().chain(options).collect();
        Server::start(&arguments)
    }

    /// Starts a command that serves, and waits for its first line, which names the address.
    pub fn spawn(mut command: Command) -> Server {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let stderr = Arc::new(Mutex::new(String::new()));
        let heard = Arc::clone(&stderr);
        thread::spawn(move || {
            let mut line = String::new();
            while errors.read_line(&mut line).is_ok_and(|read| read > 0) {
                heard.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        let mut first_line = String::new();
        stdout.read_line(&mut first_line).unwrap();
        let first_line = first_line.trim_end_matches('\n').to_owned();
        let from = first_line.find("://").map(|at| &first_line[at + "://".len()..]);
        let address = from.and_then(|rest| rest.split('"').next()).and_then(|address| address.parse().ok());
        let Some(address) = address else {
            let status = child.wait();
            panic!("no address in the first line {first_line:?}: {status:?}\n{}", stderr.lock().unwrap());
        };
        Server { child, address, stdout, stderr, first_line }
    }

    pub fn url(&self) -> String {
        let scheme = if self.first_line.contains("https://") { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The start text behind the first line, up to and with the line about the control plane.
    pub fn start_text(&mut self) -> String {
        let mut text = String::new();
        while !text.lines().last().is_some_and(|line| line.starts_with("control plane")) {
            assert!(self.stdout.read_line(&mut text).unwrap() > 0, "the start text broke off: {text}");
        }
        text
    }

    /// What stands on standard error as soon as it fits.
    pub fn stderr_when(&self, fits: impl Fn(&str) -> bool) -> String {
        let heard = || self.stderr.lock().unwrap().clone();
        eventually("the text on standard error", || Some(heard()).filter(|text| fits(text)))
    }

    /// Sends a signal by its name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.pid().to_string()).status().unwrap();
        assert!(status.success());
    }

    /// How it ended, once it has.
    pub fn ended(&mut self) -> ExitStatus {
        eventually("the end of the process", || self.child.try_wait().unwrap())
    }

    pub fn connect(&self) -> TcpStream {
        connect(self.address)
    }

    /// Sends bytes, ends the sending side, and gives all that comes back.
    pub fn raw(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.connect();
        // A server that refuses early may have closed already; what it said still counts.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    }

    pub fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &[], "")
    }

    /// Sends one request on a connection of its own. Without a `Host` among the headers it is the server's address.
    pub fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Answer {
        call(self.address, method, path, headers, body)
    }

    /// A call of the API as the merchant `Reportei`.
    pub fn api(&self, method: &str, path: &str, body: Option<Json>) -> Answer {
        self.api_as(REPORTEI, method, path, body)
    }

    pub fn api_as(&self, caller: (&str, &str), method: &str, path: &str, body: Option<Json>) -> Answer {
        match body {
            None => self.call(method, path, &[caller], ""),
            Some(body) => self.call(method, path, &[caller, JSON], body.to_string()),
        }
    }

    /// A call of the control plane; the path stands behind `/_standin`.
    pub fn control(&self, method: &str, path: &str, body: Option<Json>) -> Answer {
        let path = format!("/_standin{path}");
        match body {
            None => self.call(method, &path, &[], ""),
            Some(body) => self.call(method, &path, &[JSON], body.to_string()),
        }
    }

    /// What a pack says about one of its operations, whose id begins with the pack's name: `reportei/customers/list`.
    #[track_caller]
    pub fn operation(&self, id: &str) -> Json {
        let (name, _) = id.split_once('/').unwrap();
        let pack = self.control("GET", &format!("/packs/{name}"), None).expect(200).json();
        let operations = pack["operations"].as_array().unwrap();
        operations.iter().find(|operation| operation["id"] == id).unwrap_or_else(|| panic!("no operation {id}")).clone()
    }

    /// Remembers how the world is, for [`Watch::unharmed`].
    pub fn watch(&self) -> Watch<'_> {
        self.watch_pack("reportei")
    }

    /// Every record that the default sandbox has of a pack, by resource.
    pub fn state(&self, pack: &str) -> Json {
        let shown = self.control("GET", &format!("/packs/{pack}"), None).expect(200).json();
        let resources = shown["resources"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
        let records = |resource: &str| {
            let path = format!("/state/{pack}/{resource}?limit=1000&secrets=show");
            self.control("GET", &path, None).expect(200).json()
        };
        resources.map(|resource| (resource.to_owned(), records(resource))).collect()
    }

    /// Every record that the default sandbox has of the pack that the most tests are about, and its time.
    pub fn world(&self) -> Json {
        self.world_of("reportei")
    }

    fn world_of(&self, pack: &str) -> Json {
        let mut world = self.state(pack);
        world["clock"] = self.control("GET", "/clock", None).json();
        world["sandboxes"] = self.control("GET", "/sandboxes", None).json()["total"].clone();
        world
    }

    /// Remembers the records of a pack, so that a test can say that they are as they were.
    pub fn watch_pack(&self, pack: &'static str) -> Watch<'_> {
        Watch { server: self, pack, before: self.world_of(pack) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The world as it was before something bad was tried.
pub struct Watch<'s> {
    server: &'s Server,
    pack: &'static str,
    before: Json,
}

impl Watch<'_> {
    /// Checks that nothing was changed, that nothing panicked, and that the server still answers.
    #[track_caller]
    pub fn unharmed(&self) {
        assert_eq!(self.server.world_of(self.pack), self.before, "something was changed");
        assert_eq!(*self.server.stderr.lock().unwrap(), "", "something was written to standard error");
        assert_eq!(self.server.get("/_standin/livez").status, 200);
    }
}

/// A server of the one pack of a folder of `tests/cases/format`, at a frozen time.
pub fn case(name: &str, more: &[&str]) -> Server {
    let [fixtures, schemas] = ["fixtures", "schemas"].map(|part| format!("tests/cases/format/{name}/{part}"));
    let pack = fs::read_dir(repository(&fixtures)).unwrap().next().unwrap().unwrap();
    let pack = pack.file_name().into_string().unwrap();
    Server::start(&[&["--freeze", "--fixtures", &fixtures, "--schemas", &schemas, &pack], more].concat())
}

/// Moves the time of the default sandbox on.
#[track_caller]
pub fn advance(server: &Server, by: &str) {
    server.control("POST", "/clock/advance", Some(json!({ "by": by }))).expect(200);
}

/// Asks again and again until there is something, for a while.
#[allow(clippy::disallowed_methods, reason = "what another process does is waited for in real time")]
pub fn eventually<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    let mut ask = ask;
    let begin = Instant::now();
    loop {
        if let Some(value) = ask() {
            return value;
        }
        assert!(begin.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

pub fn call(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Answer {
    let bytes = request(&address.to_string(), method, path, headers, body.as_ref());
    let mut stream = connect(address);
    let _ = stream.write_all(&bytes);
    Answer::read(&all(&mut stream), method)
}

/// What comes until the end; of a stream of events, which has none, the head.
fn all(stream: &mut TcpStream) -> Vec<u8> {
    let (mut answer, mut part) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = stream.read(&mut part) {
        let first = answer.is_empty();
        answer.extend_from_slice(&part[..count]);
        if first && let Some(end) = head_of_stream(&answer) {
            answer.truncate(end);
            break;
        }
    }
    answer
}

/// Where the head ends of an answer that goes on for ever.
fn head_of_stream(answer: &[u8]) -> Option<usize> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    (head.contains("text/event-stream") && head.contains("chunked")).then_some(end)
}

/// A request as it goes over the wire, the last one of its connection.
pub fn request(host: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        let _ = write!(head, "Host: {host}\r\n");
    }
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    if !body.is_empty() {
        let _ = write!(head, "Content-Length: {}\r\n", body.len());
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// In order, names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// Reads the one answer that `bytes` hold.
    #[track_caller]
    pub fn read(bytes: &[u8], method: &str) -> Answer {
        let (answer, rest) = Answer::next(bytes, method);
        assert!(rest.is_empty(), "more than one answer: {}", String::from_utf8_lossy(bytes));
        answer
    }

    /// Reads all answers that `bytes` hold, one after the other.
    #[track_caller]
    pub fn read_all(mut bytes: &[u8], method: &str) -> Vec<Answer> {
        let mut answers = Vec::new();
        while !bytes.is_empty() {
            let (answer, rest) = Answer::next(bytes, method);
            answers.push(answer);
            bytes = rest;
        }
        answers
    }

    #[track_caller]
    fn next<'b>(bytes: &'b [u8], method: &str) -> (Answer, &'b [u8]) {
        let text = || String::from_utf8_lossy(bytes);
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no whole head in {:?}", text()));
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status in {:?}", text()));
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(':').unwrap_or_else(|| panic!("no header: {line}")))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut answer = Answer { status, headers, body: Vec::new() };
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        let body = &bytes[end + 4..];
        let length = if method == "HEAD" || status == 204 || status < 200 { 0 } else { length };
        assert!(body.len() >= length, "the body broke off: {:?}", text());
        answer.body = body[..length].to_vec();
        (answer, &body[length..])
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self}"))
    }

    /// The answer itself, once its status is known to be this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// Checks that this is a problem of this status and type, in the shape of RFC 9457, and gives its `detail`.
    #[track_caller]
    pub fn problem(&self, status: u16, slug: &str) -> String {
        assert_eq!(self.status, status, "{self}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self}");
        let body = self.json();
        assert_eq!(body["type"], format!("urn:standin:problem:{slug}"), "{self}");
        assert_eq!(body["status"], status, "{self}");
        assert!(body["title"].as_str().is_some_and(|title| !title.is_empty()), "{self}");
        let detail = body["detail"].as_str().unwrap_or_default().to_owned();
        assert!(detail.ends_with(['.', '?']), "a detail is a sentence: {detail:?}");
        detail
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} {:?}", self.status, self.headers)?;
        f.write_str(&self.text())
    }
}
