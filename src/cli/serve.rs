//! `standin serve`

use std::fmt::Write as _;
use std::future::Future;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::Exit;
use super::access::{self, Access};
use super::args::{Log, Serve};
use super::exec;
use super::output::{err, out};
use super::packs;
use super::reload;
use super::tls::{self, Trust};
use super::{chosen, limits};
use crate::clock::{Instant, Mode, Span};
use crate::diagnostic::{one_of, or_rather};
use crate::engine;
use crate::exchange::in_millis;
use crate::journal;
use crate::pack::{Chosen, CredentialPlace, Options as Choices, Pack};
use crate::reload::{Plan, Read};
use crate::sandbox::{Controls, Nobody, Settings};
use crate::server::{self, Gate, Limits, Line, Options, Server, StartFault, Token};

/// How long requests under way may take after a signal.
const GRACE: Duration = Duration::from_secs(5);

/// Where packs are served unless something else is said.
const PORT: u16 = 4010;

/// More threads than any machine needs would only take its memory.
const MOST_THREADS: usize = 1024;

pub(super) fn run(arguments: &Serve) -> Exit {
    match start(arguments) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn start(arguments: &Serve) -> Result<Exit, Exit> {
    let at_end = arguments.at_end.plan()?;
    let (packs, read) = load(arguments)?;
    let access = access::read(arguments)?;
    let chosen = chosen::read(&arguments.option, &packs)?;
    let tls::Tls { identity, trust } = tls::read(arguments, &access.hosts, &packs)?;
    let reload = reload::plan(arguments, read)?;
    let options = options(arguments, packs.clone(), &access, chosen.clone(), reload)?;
    let options = Options { identity, ..options };
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = arguments.threads {
        builder.worker_threads(threads);
    }
    let runtime = builder.enable_all().build().map_err(|error| {
        err(&format!("error: the runtime cannot be started: {error}\n"));
        Exit::Usage
    })?;
    let ended = runtime.block_on(async {
        let server = Server::bind(options).await.map_err(|fault| refused(&fault))?;
        let stop = stopped().map_err(|error| {
            err(&format!("error: signals cannot be heard: {error}\n"));
            Exit::Usage
        })?;
        reload::on_hangup(&server).map_err(|error| {
            err(&format!("error: signals cannot be heard: {error}\n"));
            Exit::Usage
        })?;
        let url = announce(arguments, &server, &packs, &chosen, &access.token, &trust)?;
        let covered = server.covered();
        if !arguments.exec.exec {
            server.run(stop, GRACE).await;
            return Ok((Exit::Good, covered));
        }
        let mut running = arguments.exec.start(variables(arguments, &url, &packs, &access.token, &trust))?;
        let mut ended = Exit::Good;
        server.run(async { ended = running.ended().await }, GRACE).await;
        Ok((ended, covered))
    });
    // The system may be long in looking up a name, and nobody waits for it any more.
    runtime.shutdown_background();
    let (ended, covered) = ended?;
    Ok(at_end.follow(ended, covered))
}

/// What the command of `--exec` finds in its environment.
fn variables(
    arguments: &Serve,
    url: &str,
    packs: &[Arc<Pack>],
    token: &access::Token,
    trust: &Trust,
) -> exec::Variables {
    let mut variables = exec::urls(url, packs.iter().map(|pack| &*pack.name));
    variables.extend(token.text().map(|token| (access::VARIABLE.to_owned(), token.into())));
    if let (Some(file), Trust::Made(_)) = (&arguments.tls_trust_file, trust) {
        variables.extend(exec::trust(file));
    }
    variables
}

fn load(arguments: &Serve) -> Result<(Vec<Arc<Pack>>, Vec<Read>), Exit> {
    let (mut packs, mut read) = (Vec::new(), Vec::new());
    let mut good = true;
    let all = packs::read(&arguments.packs)?;
    for (files, loaded) in all.iter().zip(packs::load(&all)) {
        good &= packs::tell(&loaded);
        read.push(Read::new(files, &loaded));
        packs.extend(loaded.pack.map(Arc::new));
    }
    if good { Ok((packs, read)) } else { Err(Exit::Broken) }
}

pub(super) fn usage(message: &str) -> Exit {
    err(&format!("error: {message}\n"));
    Exit::Usage
}

/// A length of real time that a flag says.
pub(super) fn duration(flag: &str, text: &str) -> Result<Duration, Exit> {
    match Span::parse(text).map(Span::micros) {
        Ok(micros) if micros > 0 => Ok(Duration::from_micros(micros.unsigned_abs())),
        Ok(_) => Err(usage(&format!("{flag} must be longer than nothing"))),
        Err(message) => Err(usage(&format!("{flag}: {message}"))),
    }
}

pub(super) fn options(
    arguments: &Serve,
    packs: Vec<Arc<Pack>>,
    access: &Access,
    chosen: Vec<Chosen>,
    reload: Plan,
) -> Result<Options, Exit> {
    if arguments.max_json_depth == 0 || arguments.max_json_depth > 120 {
        return Err(usage("--max-json-depth is a number from 1 to 120"));
    }
    if arguments.max_connections == 0 || arguments.max_sandboxes == 0 || arguments.max_journal_entries == 0 {
        return Err(usage("--max-connections, --max-sandboxes and --max-journal-entries are at least 1"));
    }
    if arguments.threads.is_some_and(|threads| !(1..=MOST_THREADS).contains(&threads)) {
        return Err(usage(&format!("--threads is a number from 1 to {MOST_THREADS}")));
    }
    if arguments.max_headers == 0 || arguments.max_header_bytes < 8192 {
        return Err(usage("--max-headers is at least 1, --max-header-bytes at least 8192"));
    }
    let mut own_ports = Vec::new();
    for text in &arguments.listen {
        let parts = text.split_once('=').filter(|(name, _)| !name.is_empty());
        let parts = parts.and_then(|(name, port)| Some((name, port.parse::<u16>().ok()?)));
        let Some((name, port)) = parts else {
            return Err(usage(&format!("--listen is written PACK=PORT, not `{text}`")));
        };
        match packs.iter().position(|pack| &*pack.name == name) {
            Some(pack) => own_ports.push((pack, port)),
            None => {
                let names = packs.iter().map(|pack| &*pack.name);
                let meant = or_rather(name, names.clone());
                return Err(usage(&format!(
                    "--listen {text}: the pack `{name}` is not served{meant}\nserved are {}",
                    one_of(names)
                )));
            }
        }
    }
    let (instant, shift) = beginning(arguments)?;
    let limits = limits::read(&arguments.rate_limit, arguments.rate_limit_headers, &packs)?;
    let idle = match arguments.sandbox_idle_timeout.as_str() {
        "never" => None,
        text => Some(i64::try_from(duration("--sandbox-idle-timeout", text)?.as_micros()).unwrap_or(i64::MAX)),
    };
    Ok(Options {
        host: arguments.host,
        port: arguments.port.unwrap_or(if arguments.exec.exec { 0 } else { PORT }),
        own_ports,
        packs,
        settings: Settings {
            instant,
            mode: if arguments.freeze { Mode::Frozen } else { Mode::Ticking },
            shift,
            seed: arguments.seed,
            options: chosen,
            controls: Controls { limits, ..Controls::default() },
            journal: journal::Limits { entries: arguments.max_journal_entries, bytes: arguments.max_journal_bytes },
            most: arguments.max_sandboxes,
            snapshots: arguments.max_snapshots,
            agenda: arguments.max_agenda,
            deeds: engine::DEEDS,
            carrier: Arc::new(Nobody),
            idle,
        },
        limits: Limits {
            body: arguments.max_body,
            bodies: arguments.max_body_total,
            json_depth: arguments.max_json_depth,
            connections: arguments.max_connections,
            headers: arguments.max_headers,
            header_bytes: arguments.max_header_bytes,
            header_timeout: duration("--header-timeout", &arguments.header_timeout)?,
            idle_timeout: duration("--idle-timeout", &arguments.idle_timeout)?,
            write_timeout: duration("--write-timeout", &arguments.write_timeout)?,
            body_timeout: duration("--body-timeout", &arguments.body_timeout)?,
        },
        gate: Gate { hosts: access.hosts.clone(), token: access.token.text().map(Token::new) },
        way_out: access::way_out(arguments)?,
        identity: None,
        strict: arguments.strict,
        cors: !arguments.no_cors,
        log: logger(arguments.log),
        reload,
    })
}

/// The first instant, and by how many microseconds the documented world is moved.
fn beginning(arguments: &Serve) -> Result<(Instant, i64), Exit> {
    match arguments.clock.as_deref() {
        None => Ok((Instant::START, 0)),
        Some("now") => {
            let now = real_now();
            Ok((now, now.since(Instant::START).micros()))
        }
        Some(text) => {
            Instant::parse(text).map(|instant| (instant, 0)).map_err(|message| usage(&format!("--clock: {message}")))
        }
    }
}

/// The real time, for what begins with the process: a clock, a certificate.
pub(super) fn real_now() -> Instant {
    #[allow(clippy::disallowed_methods, reason = "this is the edge that real time comes in by")]
    let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Instant::from_micros(i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX))
}

fn logger(log: Log) -> Option<server::Log> {
    match log {
        Log::Off => None,
        Log::Text => Some(Arc::new(|line| err(&format!("{}\n", in_words(line))))),
        Log::Json => Some(Arc::new(|line| err(&format!("{}\n", as_json(line))))),
    }
}

fn in_words(line: &Line<'_>) -> String {
    let of = |sandbox: &str| if sandbox == "default" { String::new() } else { format!(" ~{sandbox}") };
    match line {
        Line::Exchange(line) => {
            let (at, sandbox, method, path) = (line.at, of(line.sandbox), line.method, line.path.escape_debug());
            let delivery = line.delivery.map(|word| format!(" {word}")).unwrap_or_default();
            let pack = line.pack.map(|pack| format!("/{pack}")).unwrap_or_default();
            format!("{at}{sandbox} {method} {pack}{path} {}{delivery} #{}", line.status, line.entry)
        }
        Line::Attempt(line) => {
            let (at, sandbox, url) = (line.at, of(line.sandbox), line.url.escape_debug());
            let came = line.status.map_or_else(|| line.result.to_owned(), |status| status.to_string());
            let entry = line.entry.map_or_else(|| "orphaned".to_owned(), |entry| format!("#{entry}"));
            let (pack, webhook, number) = (line.pack, line.webhook, line.number);
            format!("{at}{sandbox} webhook {pack}/{webhook} POST {url} {came} attempt {number} {entry}")
        }
    }
}

fn as_json(line: &Line<'_>) -> Json {
    match line {
        Line::Exchange(line) => {
            let mut value = json!({
                "event": "exchange", "at": line.at.to_string(), "sandbox": line.sandbox, "pack": line.pack,
                "method": line.method, "path": line.path, "status": line.status, "entry": line.entry,
            });
            if let Some(word) = line.delivery {
                value["delivery"] = word.into();
            }
            value
        }
        Line::Attempt(line) => json!({
            "event": "attempt", "at": line.at.to_string(), "sandbox": line.sandbox, "pack": line.pack,
            "webhook": line.webhook, "delivery": line.delivery, "attempt": line.number, "method": "POST",
            "url": line.url, "status": line.status, "result": line.result, "latencyMillis": in_millis(line.took),
            "entry": line.entry,
        }),
    }
}

pub(super) fn refused(fault: &StartFault) -> Exit {
    match fault {
        StartFault::Bind { address, flag, error } if error.kind() == ErrorKind::AddrInUse => {
            err(&format!(
                "error: {address} is taken: stop what listens there, or choose another port with {flag} (0 picks a free one)\n"
            ));
            Exit::Taken
        }
        StartFault::Bind { address, error, .. } => usage(&format!("{address} cannot be listened on: {error}")),
        StartFault::Seed(pack, conflict) => {
            err(&format!("error: the seed records of `{pack}` contradict each other: {conflict:?}\n"));
            Exit::Broken
        }
    }
}

/// Ready when the process is asked to stop.
pub(super) fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

fn announce(
    arguments: &Serve,
    server: &Server,
    packs: &[Arc<Pack>],
    chosen: &[Chosen],
    token: &access::Token,
    trust: &Trust,
) -> Result<String, Exit> {
    // What the command of --exec writes is the output then.
    let tell = if arguments.exec.exec { err } else { out };
    let address = server.address().map_err(|error| usage(&format!("the address is not known: {error}")))?;
    let url = |address| format!("{}://{}", server.scheme(), access::callable(address));
    if let (Some(file), Trust::Made(certificate)) = (&arguments.tls_trust_file, trust) {
        std::fs::write(file, certificate)
            .map_err(|error| usage(&format!("--tls-trust-file {}: {error}", file.display())))?;
    }
    if let Some(file) = &arguments.port_file {
        std::fs::write(file, format!("{}\n", address.port()))
            .map_err(|error| usage(&format!("--port-file {}: {error}", file.display())))?;
    }
    let made = match token {
        access::Token::Made(text) => Some(text),
        access::Token::Given(_) | access::Token::None => None,
    };
    if arguments.log == Log::Json {
        let mut line = json!({ "event": "listening", "url": url(address), "pid": std::process::id() });
        if let Some(made) = made {
            line["token"] = json!(made);
        }
        tell(&format!("{line}\n"));
        return Ok(url(address));
    }
    let mut text = format!("standin listening on {}\n", url(address));
    if arguments.exec.exec {
        tell(&text);
        return Ok(url(address));
    }
    if address.ip().is_unspecified() {
        let _ = writeln!(text, "on all interfaces: other machines can call port {}", address.port());
    }
    let own: Vec<_> = server.own_addresses().into_iter().map(|(pack, address)| (pack, url(address))).collect();
    text.push_str(&self::text(&url(address), packs, chosen, &own, &trusting(arguments, trust)));
    if let Some(made) = made {
        let _ = writeln!(text, "token         {made}");
    }
    match (trust, &arguments.tls_trust_file) {
        (Trust::Unasked | Trust::Given, _) => {}
        (Trust::Made(_), Some(file)) => {
            let _ = writeln!(text, "certificate   {}, for clients to trust", file.display());
        }
        (Trust::Made(_), None) => {
            text.push_str("certificate   made now; --tls-trust-file writes it for clients to trust\n");
        }
    }
    tell(&text);
    Ok(url(address))
}

/// The beginning of a command that trusts the server.
fn trusting(arguments: &Serve, trust: &Trust) -> String {
    match (trust, &arguments.tls_trust_file) {
        (Trust::Unasked | Trust::Given, _) => "curl -s".to_owned(),
        (Trust::Made(_), Some(file)) => format!("curl -s --cacert '{}'", file.display()),
        (Trust::Made(_), None) => "curl -s -k".to_owned(),
    }
}

/// What a newcomer needs: base URLs, credentials, a command to try.
fn text(url: &str, packs: &[Arc<Pack>], chosen: &[Chosen], own: &[(usize, String)], curl: &str) -> String {
    let mut text = String::new();
    for (index, pack) in packs.iter().enumerate() {
        let _ = writeln!(text, "\n{} ({})", pack.title, pack.name);
        let _ = writeln!(text, "  base URL    {url}/{}", pack.name);
        for (_, url) in own.iter().filter(|(pack, _)| *pack == index) {
            let _ = writeln!(text, "              {url}");
        }
        for (number, option) in chosen::shown(chosen, pack).iter().enumerate() {
            let head = if number == 0 { "options" } else { "" };
            let _ = writeln!(text, "  {head:<11} {option}");
        }
        let width = pack.credentials.iter().map(|credential| credential.label.len()).max().unwrap_or(0);
        for (number, credential) in pack.credentials.iter().enumerate() {
            let head = if number == 0 { "credentials" } else { "" };
            let scheme = pack.scheme(credential.scheme);
            let shown = match &scheme.place {
                CredentialPlace::Header(name) => format!("{name}: {}", credential.value),
                CredentialPlace::Query(name) => format!("?{name}={}", credential.value),
            };
            let _ = writeln!(text, "  {head:<11} {:<width$}  {shown}", credential.label);
        }
        if let Some(command) = command(curl, url, pack, &Choices::chosen(pack, chosen)) {
            let _ = writeln!(text, "  try         {command}");
        }
    }
    let _ = writeln!(text, "\ncontrol plane {url}/_standin");
    text
}

/// A curl command for the read that needs least.
fn command(with: &str, url: &str, pack: &Pack, options: &Choices) -> Option<String> {
    let (_, called) = pack.easiest(options)?;
    Some(called.curl(with, &format!("{url}/{}", pack.name), pack))
}
