//! A server of our own, in this process, for as long as scenarios run.

use std::sync::Arc;
use std::time::Duration;

use clap::Parser as _;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::cli::Exit;
use crate::cli::access;
use crate::cli::args::{Arguments, Command, PackFolders, Serve};
use crate::cli::output::err;
use crate::cli::serve::{self, usage};
use crate::cli::{packs, reload};
use crate::client::Client;
use crate::pack::{Files, Pack};
use crate::reload::Read;
use crate::scenario::Ground;
use crate::server::{Options, Server};

/// How long requests under way may take at the end.
const GRACE: Duration = Duration::from_secs(1);

/// Packs as they are on disk, or in the binary.
pub(super) struct Packs {
    pub(super) ground: Ground,
    read: Vec<Read>,
}

/// A server that runs.
pub(super) struct Own {
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
    pub(super) client: Client,
}

impl Packs {
    /// Everything that is wrong with them is said.
    pub(super) fn load(all: &[Files]) -> Result<Self, Exit> {
        let (mut ground, mut read, mut good) = (Ground::default(), Vec::new(), true);
        for (files, loaded) in all.iter().zip(packs::load(all)) {
            good &= packs::tell(&loaded);
            read.push(Read::new(files, &loaded));
            ground.packs.extend(loaded.pack.map(|pack| (Arc::new(pack), Arc::new(files.clone()))));
        }
        if good { Ok(Packs { ground, read }) } else { Err(Exit::Broken) }
    }

    pub(super) fn all(&self) -> Vec<Arc<Pack>> {
        self.ground.packs.iter().map(|(pack, _)| Arc::clone(pack)).collect()
    }
}

impl Own {
    /// Serves packs on a free port of the loopback, with the time standing still.
    pub(super) async fn start(packs: Packs, folders: &PackFolders, sandboxes: usize) -> Result<Self, Exit> {
        let options = options(packs, folders, sandboxes)?;
        let token = options.token;
        let server = Server::bind(options.server).await.map_err(|fault| serve::refused(&fault))?;
        let address = server.address().map_err(|error| usage(&format!("the address is not known: {error}")))?;
        let url = format!("{}://{address}", server.scheme());
        let client = Client::new(&url, token.as_deref(), None).map_err(|why| usage(&why))?;
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            server.run(stopped, GRACE).await;
        });
        Ok(Own { stop, running, client })
    }

    pub(super) async fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.running.await;
    }
}

struct Whole {
    server: Options,
    token: Option<String>,
}

/// What `standin serve` would be, with these arguments.
fn options(packs: Packs, folders: &PackFolders, sandboxes: usize) -> Result<Whole, Exit> {
    let sandboxes = sandboxes.to_string();
    let typed = ["standin", "serve", "--port=0", "--freeze", "--log=off", "--watch=off", "--max-sandboxes", &sandboxes];
    let Ok(Arguments { command: Command::Serve(mut arguments) }) = Arguments::try_parse_from(typed) else {
        err("error: the server cannot be started\n");
        return Err(Exit::Usage);
    };
    let Serve { packs: chosen, .. } = &mut *arguments;
    (chosen.folders.fixtures, chosen.folders.schemas) = (folders.fixtures.clone(), folders.schemas.clone());
    let all = packs.all();
    let access = access::read(&arguments)?;
    let reload = reload::plan(&arguments, packs.read)?;
    let token = access.token.text().map(str::to_owned);
    let server = serve::options(&arguments, all, &access, Vec::new(), reload)?;
    Ok(Whole { server, token })
}
