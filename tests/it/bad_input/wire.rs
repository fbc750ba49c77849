//! Random pipelines over real sockets, cut anywhere. Valid ones are answered one by one; of altered ones never more is
//! answered than a strict reader of this file finds in them.
//!
//! `WIRE_ROUNDS` makes it longer, `WIRE_SEED` starts elsewhere. A failure names the seed of its round: with that seed
//! the first round is the one that failed.

use std::net::TcpStream;

use super::*;

/// Small, and the same everywhere (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Calls with the random numbers of each round.
fn rounds(count: u64, mut round: impl FnMut(&mut Random, &str)) {
    let (first, count) = (setting("WIRE_SEED", 1), setting("WIRE_ROUNDS", count));
    for seed in first..first + count {
        round(&mut Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d)), &format!("WIRE_SEED={seed}"));
    }
}

/// A valid request, and what must come of it.
struct Call {
    bytes: Vec<u8>,
    method: &'static str,
    statuses: Vec<u16>,
    /// As the journal has it, if it comes so far.
    entry: Option<String>,
    /// Of the customer that it makes.
    name: Option<String>,
}

/// A request that would make a customer whose name is in no other place.
fn inner() -> String {
    let body = r#"{"name":"Smuggled"}"#;
    let token = REPORTEI.1;
    format!(
        "POST /customers HTTP/1.1\r\nHost: localhost\r\nAuthorization: {token}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn cased(random: &mut Random, name: &str) -> String {
    match random.below(3) {
        0 => name.to_owned(),
        1 => name.to_ascii_lowercase(),
        _ => name.to_ascii_uppercase(),
    }
}

fn call(random: &mut Random, label: &str, last: bool) -> Call {
    let made = format!("{label}-{}", "n".repeat(random.below(300)));
    let create = format!(r#"{{"name":"{made}"}}"#);
    let unknown = format!("/customers/{UNKNOWN}");
    let (method, path, body, status, name) = match random.below(11) {
        0 => ("GET", "/customers", String::new(), 200, None),
        1 => ("HEAD", "/customers", String::new(), 200, None),
        2 => ("GET", unknown.as_str(), String::new(), 404, None),
        3 => ("PUT", unknown.as_str(), create, 404, None),
        4 => ("GET", "/merchants/settings", inner(), 200, None),
        5 => ("POST", "/customers", inner(), 400, None),
        6 => ("GET", "/_standin/livez", String::new(), 200, None),
        7 => ("HEAD", "/_standin/livez", inner(), 200, None),
        8 => ("POST", "/customers", " ".repeat(20_000 + random.below(30_000)), 400, None),
        _ => ("POST", "/customers", create, 201, Some(made)),
    };
    let mut statuses = vec![status];
    let url = random.one_in(8);
    let mut lines = vec![
        format!("{}:{}localhost", cased(random, "Host"), random.of(&["", " ", "\t ", "  "])),
        format!("{}: {}", cased(random, REPORTEI.0), REPORTEI.1),
    ];
    for number in 0..if random.one_in(10) { 80 } else { random.below(4) } {
        let value = random.of(&["", " ", "\t", "a\tb", "caf\u{e9}", "Content-Length: 7", "chunked", ", ;=\"\""]);
        lines.push(format!("X-{number}:{value}"));
    }
    if last && random.one_in(2) {
        lines.push("Connection: close".to_owned());
    }
    if random.one_in(12) {
        lines.push("Connection: Upgrade\r\nUpgrade: h2c".to_owned());
    }
    let mut sent = Vec::new();
    if !body.is_empty() || random.one_in(6) {
        if random.one_in(4) {
            lines.push(format!("{}: {}", cased(random, "Expect"), cased(random, "100-continue")));
            if !body.is_empty() {
                statuses.insert(0, 100);
            }
        }
        if random.one_in(2) {
            let chunked = cased(random, "chunked");
            lines.push(format!("{}:{}{chunked}", cased(random, "Transfer-Encoding"), random.of(&["", " ", "\t"])));
            sent = chunks(random, body.as_bytes());
            // That there is nothing in the chunks is known only once they have come.
            if body.is_empty() && lines.iter().any(|line| line.to_ascii_lowercase().starts_with("expect")) {
                statuses.insert(0, 100);
            }
        } else {
            let zeros = "0".repeat(random.below(3));
            lines.push(format!(
                "{}: {zeros}{}{}",
                cased(random, "Content-Length"),
                body.len(),
                random.of(&["", " \t"])
            ));
            sent = body.into_bytes();
        }
    }
    let order = random.below(lines.len());
    lines.rotate_left(order);
    let target = if url { format!("http://localhost{path}") } else { path.to_owned() };
    let empty = "\r\n".repeat(if random.one_in(5) { 1 + random.below(3) } else { 0 });
    let head = format!("{empty}{method} {target} HTTP/1.1\r\n{}\r\n\r\n", lines.join("\r\n"));
    let entry = (!path.starts_with("/_standin")).then(|| format!("{method} {path}"));
    Call { bytes: [head.into_bytes(), sent].concat(), method, statuses, entry, name }
}

fn chunks(random: &mut Random, mut body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let size = |random: &mut Random, size: usize, bytes: &mut Vec<u8>| {
        let digits = if random.one_in(2) { format!("{size:x}") } else { format!("{size:X}") };
        let extension = match random.below(12) {
            0 => format!(";{}", "x".repeat(random.below(900))),
            1 => " ; a = \"b;c\"".to_owned(),
            2 => ";caf\u{e9}\t=1".to_owned(),
            3 => " \t".to_owned(),
            _ => String::new(),
        };
        bytes.extend_from_slice(format!("{}{digits}{extension}\r\n", "0".repeat(random.below(3))).as_bytes());
    };
    while !body.is_empty() {
        let most = if random.one_in(3) { 10 } else { 8000 };
        let length = body.len().min(1 + random.below(most).max(body.len() / 12));
        size(random, length, &mut bytes);
        bytes.extend_from_slice(&body[..length]);
        bytes.extend_from_slice(b"\r\n");
        body = &body[length..];
    }
    size(random, 0, &mut bytes);
    for number in 0..if random.one_in(3) { random.below(5) } else { 0 } {
        let trailer =
            random.of(&["Content-Length: 5", "Transfer-Encoding: gzip", "Host: evil.example", "X:", "X: a\tb"]);
        bytes.extend_from_slice(format!("{trailer}{}\r\n", "y".repeat(number)).replace("gzipy", "gzip").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// Sends bytes in random pieces, ends the sending side, and gives all that comes back.
fn send(server: &Server, random: &mut Random, bytes: &[u8]) -> Vec<u8> {
    let mut stream = server.connect();
    stream.set_nodelay(true).unwrap();
    let mut reader = stream.try_clone().unwrap();
    // Read while sending, so that neither side waits for the other.
    let back = std::thread::spawn(move || {
        let mut back = Vec::new();
        let _ = reader.read_to_end(&mut back);
        back
    });
    in_pieces(&mut stream, random, bytes);
    let _ = stream.shutdown(Shutdown::Write);
    back.join().unwrap()
}

fn in_pieces(stream: &mut TcpStream, random: &mut Random, mut bytes: &[u8]) {
    let most = random.of(&[1, 3, 20, 400, 5000, 100_000]);
    while !bytes.is_empty() {
        // Large bodies byte by byte would take long, and show nothing new.
        let most = if bytes.len() > 4000 { most.max(1000) } else { most };
        let (piece, rest) = bytes.split_at(bytes.len().min(1 + random.below(most)));
        if stream.write_all(piece).is_err() {
            return;
        }
        if random.one_in(20) {
            std::thread::yield_now();
        }
        bytes = rest;
    }
}

/// The statuses of whole answers, one after the other; a HEAD's has no body.
fn statuses(mut back: &[u8], methods: &[String], seed: &str) -> Vec<u16> {
    let mut methods = methods.iter();
    let mut method = methods.next();
    let mut statuses = Vec::new();
    while !back.is_empty() {
        let end = back.windows(4).position(|window| window == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("{seed}: {:?}", String::from_utf8_lossy(back)));
        let head = String::from_utf8_lossy(&back[..end]).to_ascii_lowercase();
        let status: u16 = head[9..12].parse().unwrap_or_else(|_| panic!("{seed}: {head}"));
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |l| l.parse().unwrap());
        let bodiless = status < 200 || status == 204 || method.is_some_and(|method| method == "HEAD");
        // A refused request of which nothing more is known may be a HEAD.
        let bodiless = bodiless || method.is_none() && back.len() == end + 4;
        back = &back[end + 4 + if bodiless { 0 } else { length }..];
        if status >= 200 {
            method = methods.next();
        }
        statuses.push(status);
    }
    statuses
}

/// Method and path of every entry, the oldest first; then there are none.
fn entries(server: &Server) -> Vec<String> {
    let page = server.control("GET", "/journal?limit=1000", None).json();
    let mut entries: Vec<(u64, String)> = page["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let text = |member: &str| entry[member].as_str().unwrap();
            (entry["entry"].as_u64().unwrap(), format!("{} {}", text("method"), text("path")))
        })
        .collect();
    entries.sort();
    server.control("DELETE", "/journal", None);
    entries.into_iter().map(|(_, text)| text).collect()
}

/// The names of the customers that were made, in any order; then the world is as it was.
fn names(server: &Server) -> Vec<String> {
    let page = server.control("GET", "/state/reportei/customer?limit=1000&secrets=show", None).json();
    let names = page["records"].as_array().unwrap().iter().map(|record| {
        let name = &record["name"];
        name.as_str().unwrap_or_else(|| panic!("{record:#}")).to_owned()
    });
    let mut names: Vec<String> = names.collect();
    server.control("POST", "/reset", None);
    names.sort();
    names
}

#[test]
fn valid_requests_are_answered_one_by_one_however_they_are_cut() {
    let server = start();
    server.control("POST", "/reset", None);
    let seeds = names(&server);
    rounds(60, |random, seed| {
        entries(&server);
        let (mut expected, mut made) = (Vec::new(), seeds.clone());
        for pipeline in 0..20 {
            let count = 1 + random.below(8);
            let calls: Vec<Call> =
                (0..count).map(|number| call(random, &format!("{pipeline}.{number}"), number + 1 == count)).collect();
            let bytes: Vec<u8> = calls.iter().flat_map(|call| call.bytes.clone()).collect();
            let methods: Vec<String> = calls.iter().map(|call| call.method.to_owned()).collect();
            let wanted: Vec<u16> = calls.iter().flat_map(|call| call.statuses.clone()).collect();
            let back = send(&server, random, &bytes);
            let came = statuses(&back, &methods, seed);
            assert_eq!(came, wanted, "{seed}, pipeline {pipeline}:\n{}", String::from_utf8_lossy(&bytes));
            expected.extend(calls.iter().filter_map(|call| call.entry.clone()));
            made.extend(calls.into_iter().filter_map(|call| call.name));
        }
        made.sort();
        assert_eq!(entries(&server), expected, "{seed}");
        assert_eq!(names(&server), made, "{seed}");
    });
    server.watch().unharmed();
}

/// What a strict reader sees: method and body of each request up to the first that is not framed as RFC 9112 says.
fn strictly(mut bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut seen = Vec::new();
    while let Some((method, body, rest)) = strict_request(bytes) {
        seen.push((method, body));
        bytes = rest;
    }
    seen
}

/// A line, which ends in CR LF and has no other CR, LF or NUL.
fn strict_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n' | 0))?;
    bytes[end..].starts_with(b"\r\n").then(|| (&bytes[..end], &bytes[end + 2..]))
}

fn strict_request(mut bytes: &[u8]) -> Option<(String, Vec<u8>, &[u8])> {
    while let Some(rest) = bytes.strip_prefix(b"\r\n") {
        bytes = rest;
    }
    let (line, mut rest) = strict_line(bytes)?;
    let line = String::from_utf8_lossy(line).into_owned();
    let [method, target, version] = line.split(' ').collect::<Vec<_>>()[..] else { return None };
    let token = |text: &[u8]| {
        !text.is_empty() && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
    };
    if !token(method.as_bytes()) || target.is_empty() || !matches!(version, "HTTP/1.0" | "HTTP/1.1") {
        return None;
    }
    let (mut length, mut chunked) = (None, false);
    loop {
        let (line, after) = strict_line(rest)?;
        rest = after;
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if !token(name) {
            return None;
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
            if length.is_some() || chunked || !digits {
                return None;
            }
            length = Some(std::str::from_utf8(value).ok()?.parse::<usize>().ok()?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if length.is_some() || chunked || version != "HTTP/1.1" || !value.eq_ignore_ascii_case(b"chunked") {
                return None;
            }
            chunked = true;
        }
    }
    let mut body = Vec::new();
    if !chunked {
        let length = length.unwrap_or(0);
        body.extend_from_slice(rest.get(..length)?);
        return Some((method.to_owned(), body, &rest[length..]));
    }
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n")?;
        let (line, after) = (&rest[..end], &rest[end + 2..]);
        if line.contains(&b'\r') || line.contains(&b'\n') {
            return None;
        }
        let digits = line.split(|byte| *byte == b';').next()?;
        let digits = std::str::from_utf8(digits).ok()?.trim_end_matches([' ', '\t']);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let size = usize::from_str_radix(digits, 16).ok()?;
        rest = after;
        if size == 0 {
            break;
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest[size..].strip_prefix(b"\r\n")?;
    }
    loop {
        let (line, after) = strict_line(rest)?;
        rest = after;
        if line.is_empty() {
            return Some((method.to_owned(), body, rest));
        }
        line.contains(&b':').then_some(())?;
    }
}

/// Alters bytes, mostly those that say where something ends.
fn alter(random: &mut Random, bytes: &mut Vec<u8>) {
    let marks: Vec<usize> = (0..bytes.len()).filter(|at| b"\r\n:;0123456789".contains(&bytes[*at])).collect();
    for _ in 0..1 + random.below(3) {
        let most = bytes.len();
        let at = if random.one_in(4) { random.below(most) } else { random.of(&marks).min(most - 1) };
        match random.below(9) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, b'\n'),
            3 => bytes.insert(at, b'\r'),
            4 => bytes.insert(at, 0),
            5 => bytes.insert(at, random.of(b" \t,;:0+-x\x0b\x0c\xff")),
            6 => bytes[at] = random.of(b"\r\n 0179afx:;,"),
            7 => {
                // A line once more.
                let ends = |part: &[u8]| part.iter().position(|byte| *byte == b'\n');
                let begin = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
                let end = begin + ends(&bytes[begin..]).map_or(0, |end| end + 1);
                let line = bytes[begin..end.min(begin + 500)].to_vec();
                bytes.splice(begin..begin, line);
            }
            _ => {
                let line = random.of(&[
                    "Content-Length: 3\r\n",
                    "Transfer-Encoding: chunked\r\n",
                    "Transfer-Encoding: identity\r\n",
                    "content-length : 0\r\n",
                    " folded: 1\r\n",
                    "0\r\n\r\n",
                    "\r\n\r\n",
                ]);
                let begin = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
                bytes.splice(begin..begin, line.bytes());
            }
        }
    }
}

#[test]
fn of_altered_requests_nothing_hidden_is_answered() {
    let server = start();
    server.control("POST", "/reset", None);
    let seeds = names(&server);
    entries(&server);
    rounds(100, |random, seed| {
        let mut bodies = Vec::new();
        for pipeline in 0..12 {
            let count = 1 + random.below(5);
            let mut bytes = Vec::new();
            for number in 0..count {
                bytes.extend(call(random, &format!("{pipeline}.{number}"), number + 1 == count).bytes);
            }
            alter(random, &mut bytes);
            let seen = strictly(&bytes);
            let methods: Vec<String> = seen.iter().map(|(method, _)| method.clone()).collect();
            let back = send(&server, random, &bytes);
            let shown = || format!("{seed}, pipeline {pipeline}: {} seen in\n{}", seen.len(), bytes.escape_ascii());
            let came = statuses(&back, &methods, seed);
            let came: Vec<u16> = came.into_iter().filter(|status| *status >= 200).collect();
            assert!(came.iter().all(|status| *status < 500), "{came:?}, {}", shown());
            assert!(came.len() <= seen.len() + 1, "{came:?}, {}", shown());
            assert!(came.get(seen.len()).is_none_or(|status| *status >= 400), "{came:?}, {}", shown());
            let done = entries(&server);
            let mut left = methods.iter();
            let within = done.iter().all(|entry| left.any(|method| entry.split(' ').next() == Some(method)));
            assert!(within, "{done:#?}, {}", shown());
            bodies.extend(seen.into_iter().filter(|(method, _)| method == "POST").map(|(_, body)| body));
        }
        let allowed: Vec<Json> = bodies.iter().filter_map(|body| serde_json::from_slice(body).ok()).collect();
        for name in names(&server).iter().filter(|name| !seeds.contains(name)) {
            assert!(allowed.iter().any(|body| body["name"] == **name), "{seed}: {name} stands in no body");
        }
    });
    server.watch().unharmed();
}
