//! What can be typed.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::coverage::Coverage;
use super::exec::Exec;
use super::pages::{Completions, Man};
use super::readyz::Readyz;
use super::record::Record;
use super::report::AtEnd;
use super::run::Run;

/// A local stand-in for real HTTP APIs: replays documented examples, validates what comes in, moves through time.
#[derive(Debug, Parser)]
#[command(name = "standin", version, disable_help_subcommand = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve packs on localhost (the default command)
    Serve(Box<Serve>),
    /// Run scenarios: stories of testers, each in a sandbox of its own
    Run(Box<Run>),
    /// Find mistakes in packs and replay their documented examples
    Check(Check),
    /// Show what requests have exercised of packs, and judge whether that is enough
    Coverage(Box<Coverage>),
    /// Tell the log of a sandbox as a scenario file, without secrets
    Record(Record),
    /// Do everything in a sandbox's log again, and prove that the answers are the same bytes
    Replay(Replay),
    /// List the operations of packs
    Routes(Routes),
    /// Explain a code that stands in brackets in messages of `check`
    Explain(Explain),
    /// Say whether a server is ready
    Readyz(Readyz),
    /// Print what makes a shell complete commands and flags
    Completions(Completions),
    /// Print the page of `man`, or write one for every command
    Man(Man),
}

/// Which packs, and where they are.
#[derive(Debug, Args)]
pub(super) struct Packs {
    /// Packs by name; all when none is named
    #[arg(value_name = "PACK")]
    pub(super) packs: Vec<String>,
    #[command(flatten)]
    pub(super) folders: PackFolders,
}

/// Where packs are.
#[derive(Debug, Args)]
pub(super) struct PackFolders {
    /// Folder of packs; each replaces the built-in pack of its name [default: fixtures, if there is one]
    #[arg(long, value_name = "DIR")]
    pub(super) fixtures: Option<PathBuf>,
    /// Folder of their JSON Schemas [default: schemas, if there is one]
    #[arg(long, value_name = "DIR")]
    pub(super) schemas: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    pub(super) packs: Packs,
    /// Address to listen on; beyond loopback the control plane asks for a token
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(super) host: IpAddr,
    /// A further host name that clients may call; may be given more than once
    #[arg(long, value_name = "NAME")]
    pub(super) allow_host: Vec<String>,
    /// A host beyond this machine that webhooks may be sent to: NAME, *.NAME or an address; may be given more than once
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(super) allow_webhook_host: Vec<String>,
    /// What the control plane asks for, as `Authorization: Bearer TOKEN`; STANDIN_TOKEN in the environment does the same
    #[arg(long, value_name = "TOKEN")]
    pub(super) token: Option<String>,
    /// Send no answer that is assumed (501) or does not fit its schema (500)
    #[arg(long)]
    pub(super) strict: bool,
    /// Keep pages of other origins from calling the packs
    #[arg(long)]
    pub(super) no_cors: bool,
    /// Port to listen on; 0 picks a free one [default: 4010, and a free one with --exec]
    #[arg(long, value_name = "PORT")]
    pub(super) port: Option<u16>,
    /// Write the port to this file once it is known
    #[arg(long, value_name = "FILE")]
    pub(super) port_file: Option<PathBuf>,
    /// A port of its own for one pack, which is then at the root there
    #[arg(long, value_name = "PACK=PORT")]
    pub(super) listen: Vec<String>,
    /// Speak https, with a certificate that is made at the start
    #[arg(long)]
    pub(super) tls: bool,
    /// Speak https with the certificate in this PEM file, and with those that it may have behind it
    #[arg(long, value_name = "FILE")]
    pub(super) tls_cert: Option<PathBuf>,
    /// Private key of that certificate, in PEM
    #[arg(long, value_name = "FILE")]
    pub(super) tls_key: Option<PathBuf>,
    /// Write the certificate that --tls makes to this file, for clients to trust
    #[arg(long, value_name = "FILE")]
    pub(super) tls_trust_file: Option<PathBuf>,
    /// Where virtual time starts: `now`, or an instant such as 2024-10-01T17:15:12Z
    #[arg(long, value_name = "INSTANT")]
    pub(super) clock: Option<String>,
    /// Stop virtual time until it is moved
    #[arg(long)]
    pub(super) freeze: bool,
    /// Seed of everything random
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(super) seed: u64,
    /// A value for an option of a pack; without a value it is true. May be given more than once
    #[arg(long, value_name = "PACK.NAME[=VALUE]")]
    pub(super) option: Vec<String>,
    /// How often each caller of a pack may call, such as shop=60/1m; may be given more than once
    #[arg(long, value_name = "PACK=QUOTA/WINDOW")]
    pub(super) rate_limit: Vec<String>,
    /// The headers that tell callers where they stand with --rate-limit
    #[arg(long, value_name = "FAMILY", value_enum, default_value_t = RateLimitHeaders::Ratelimit)]
    pub(super) rate_limit_headers: RateLimitHeaders,
    /// How requests are logged on standard error, and the first line on standard output is written
    #[arg(long, value_enum, default_value_t = Log::Text)]
    pub(super) log: Log,
    /// How changes of pack folders are noticed: `poll` where no events come, such as in some containers
    #[arg(long, value_enum, default_value_t = Watch::Events)]
    pub(super) watch: Watch,
    /// Threads that answer requests [default: one for each core]
    #[arg(long, value_name = "NUMBER")]
    pub(super) threads: Option<usize>,
    /// Largest request body, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = crate::exchange::Body::LIMIT)]
    pub(super) max_body: usize,
    /// Most bytes of request bodies that are being read at once, at least --max-body
    #[arg(long, value_name = "BYTES", default_value_t = 256 << 20)]
    pub(super) max_body_total: usize,
    /// Deepest nesting of a JSON body, at most 120
    #[arg(long, value_name = "LEVELS", default_value_t = 64)]
    pub(super) max_json_depth: usize,
    /// Most connections at once
    #[arg(long, value_name = "NUMBER", default_value_t = 1024)]
    pub(super) max_connections: usize,
    /// Most headers of a request
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    pub(super) max_headers: usize,
    /// Most bytes of headers of a request, at least 8192
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 10)]
    pub(super) max_header_bytes: usize,
    /// Longest time until the headers of a request are complete, such as 10s
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub(super) header_timeout: String,
    /// Longest time until the body of a request is complete
    #[arg(long, value_name = "TIME", default_value = "30s")]
    pub(super) body_timeout: String,
    /// Longest time that a client may take nothing of an answer
    #[arg(long, value_name = "TIME", default_value = "30s")]
    pub(super) write_timeout: String,
    /// Longest time between requests on one connection
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub(super) idle_timeout: String,
    /// Most sandboxes at once, besides `default`
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    pub(super) max_sandboxes: usize,
    /// Most snapshots per sandbox
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    pub(super) max_snapshots: usize,
    /// Most things per sandbox that wait for their instant: events that were asked for, attempts to deliver webhooks
    #[arg(long, value_name = "NUMBER", default_value_t = 100_000)]
    pub(super) max_agenda: usize,
    /// Longest real time that a sandbox may go unused, such as 90m; `never` keeps all
    #[arg(long, value_name = "TIME", default_value = "24h")]
    pub(super) sandbox_idle_timeout: String,
    /// Most journal entries per sandbox
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000)]
    pub(super) max_journal_entries: usize,
    /// Most bytes of journal per sandbox, and of events that wait
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 20)]
    pub(super) max_journal_bytes: usize,
    #[command(flatten)]
    pub(super) at_end: AtEnd,
    #[command(flatten)]
    pub(super) exec: Exec,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Log {
    Text,
    Json,
    Off,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Watch {
    Events,
    Poll,
    Off,
}

/// The words that limits use for headers, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum RateLimitHeaders {
    Ratelimit,
    XRatelimit,
    None,
}

#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    pub(super) packs: Packs,
    /// Also alter every input, every key of every example and every row of errors, and see whether it is noticed
    #[arg(long)]
    pub(super) mutate: bool,
    /// How findings are printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
    Junit,
}

#[derive(Debug, Args)]
pub(super) struct Replay {
    /// A bundle, as GET /_standin/log?format=bundle gives it; `-` reads standard input
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) folders: PackFolders,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub(super) format: ListFormat,
}

#[derive(Debug, Args)]
pub(super) struct Routes {
    #[command(flatten)]
    pub(super) packs: Packs,
    /// How the list is printed
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub(super) format: ListFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ListFormat {
    Text,
    Json,
}

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// A code, such as `key-unknown`; all are listed when none is given
    #[arg(value_name = "CODE")]
    pub(super) code: Option<String>,
}
