//! The accept loop, which brings listener, registration and connections to the desired state of the driver.

use std::{io, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{
    bypass,
    connection::{AcceptMode, ConnectionGroup},
    connection_threads::ConnectionThreads,
    registration::SpecFile,
    routes::Routes,
    upstream_watch::UpstreamWatch,
};
use crate::{
    domain::{
        model::{
            driver::{DriverInfo, Outage},
            entry::EntryKind,
        },
        text::shell::quote,
    },
    hub::{DriverState, DriverStatus, Hub},
    net::{Listener, OtherFile, takeover::AtPath},
};

/// How soon a failed change of the listener is tried again.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// The plugin's listener, its registration, and its connections.
pub struct AcceptLoop {
    hub: Arc<Hub>,
    routes: Arc<Routes>,
    threads: Arc<ConnectionThreads>,
    listener: Listener,
    spec: Option<SpecFile>,
    /// The state that was applied last.
    driver_state: DriverState,
    connections: ConnectionGroup,
    watch: Option<UpstreamWatch>,
    /// Connections from before a blackhole, which stay open without a reply.
    frozen: Option<ConnectionGroup>,
    /// The number of the latest connection.
    last_connection: u64,
    /// Whether the listener or the registration could not be changed.
    failure: Option<String>,
    /// Where engines found the driver before something else took its socket file, or the way to it.
    lost: Option<DriverInfo>,
}

impl AcceptLoop {
    /// A loop with an open listener.
    pub fn new(hub: Arc<Hub>, routes: Routes, listener: Listener, spec: Option<SpecFile>) -> Self {
        let routes = Arc::new(routes);
        let threads = ConnectionThreads::start(routes.forwarding().is_some()).unwrap_or_else(|error| {
            tracing::warn!(%error, "connections have no threads of their own, and are slower");
            ConnectionThreads::default()
        });
        let threads = Arc::new(threads);
        let connections = ConnectionGroup::new(Arc::clone(&routes), Arc::clone(&threads), AcceptMode::Serve);
        let driver_state = DriverState { status: DriverStatus::Up, ..hub.desired_state() };
        hub.report_observed(Some(driver_state));
        let path = listener.at_path().and_then(|_| listener.path());
        let watch = routes.forwarding().map(|forwarding| UpstreamWatch::new(forwarding.clone(), path));
        Self {
            hub,
            routes,
            threads,
            listener,
            spec,
            driver_state,
            connections,
            watch,
            frozen: None,
            last_connection: 0,
            failure: None,
            lost: None,
        }
    }

    /// Accepts connections until `shutdown` or the command `quit`, then closes them within `drain`.
    pub async fn serve(mut self, shutdown: CancellationToken, drain: Duration) {
        bypass::end(&self.hub, &self.listener);
        let mut desired_state = self.hub.watch_desired_state();
        desired_state.mark_changed();
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                changed = desired_state.changed() => {
                    let driver_state = *desired_state.borrow_and_update();
                    if changed.is_err() || driver_state.quitting {
                        break;
                    }
                    self.apply(driver_state).await;
                }
                () = tokio::time::sleep(RETRY_INTERVAL), if self.failure.is_some() => self.reconcile_listener(),
                () = self.hub.rebind_requested() => {
                    self.follow_command();
                    self.hub.report_observed(Some(self.driver_state));
                }
                () = self.listener.lost(), if self.lost.is_none() => self.note_loss(),
                () = changed(self.watch.as_mut()) => self.check_upstream(),
                socket = self.listener.accept() => {
                    self.last_connection += 1;
                    self.connections.spawn(socket, self.last_connection);
                }
            }
        }
        self.end(drain).await;
    }

    async fn apply(&mut self, driver_state: DriverState) {
        let before = std::mem::replace(&mut self.driver_state, driver_state);
        let crashed = before.generation != driver_state.generation;
        let outage_changed = outage(before) != outage(driver_state);
        if outage_changed || crashed || self.failure.is_some() {
            self.follow_command();
        }
        if outage_changed || crashed {
            if let Some(frozen) = self.frozen.take() {
                frozen.close("the driver was a black hole").await;
            }
            let mode = match outage(driver_state) {
                Some(Outage::Blackhole) => AcceptMode::Ignore,
                Some(Outage::Reset) => AcceptMode::Reset,
                _ => AcceptMode::Serve,
            };
            let next = ConnectionGroup::new(Arc::clone(&self.routes), Arc::clone(&self.threads), mode);
            let previous = std::mem::replace(&mut self.connections, next);
            if crashed {
                previous.close("the driver crashed").await;
            } else if mode == AcceptMode::Ignore {
                previous.freeze();
                self.frozen = Some(previous);
            } else {
                previous.close("the driver went down").await;
            }
        }
        self.hub.report_observed(Some(driver_state));
    }

    /// Brings the listener and the registration into the state that a command wants. A command's own entry says that the
    /// state was reached, so a failure is reported again.
    fn follow_command(&mut self) {
        self.failure = None;
        self.reconcile_listener();
    }

    /// Opens or closes the listener and the registration as the outage demands.
    fn reconcile_listener(&mut self) {
        let outage = outage(self.driver_state);
        let listener = match outage {
            Some(Outage::Refuse) => self.listener.refuse(),
            Some(Outage::Unlink) => self.listener.unlink(),
            // As the engine would find it without us.
            None if self.watch.as_ref().is_some_and(|watch| !watch.was_up) => self.listener.close(),
            None | Some(Outage::Blackhole | Outage::Reset) => self.listener.open(),
        };
        let result = listener.and_then(|()| match &self.spec {
            Some(spec) if outage == Some(Outage::Unlink) => {
                spec.remove();
                Ok(())
            }
            Some(spec) => spec.write(),
            None => Ok(()),
        });
        if result.is_ok()
            && let Some(driver) = self.lost.take()
        {
            self.hub.register(driver);
        }
        let failure = result.as_ref().err().map(ToString::to_string);
        if failure == self.failure {
            return;
        }
        self.hub.report_bind(&self.listener.address(), result.as_ref().copied());
        if let Some(failure) = &failure
            && outage.is_none_or(Outage::is_connectable)
        {
            let address = self.listener.address();
            let is_named = self.listener.blocked_by().is_some();
            let why = if is_named { failure.clone() } else { format!("cannot bind {address}: {failure}") };
            self.note_unregistered(&why, None);
        }
        self.failure = failure;
    }

    /// Records that the socket file was removed from outside. It is not created again without a command, as by another
    /// plugin.
    fn note_loss(&mut self) {
        let what = self.listener.blocked_by().map(|what| format!("replaced by {what}"));
        let lost = format!("the socket file was {}", what.as_deref().unwrap_or("removed"));
        let up = format!("voltergeist command --name {} up", quote(&self.hub.driver().name));
        self.note_unregistered(&lost, Some(up));
        self.hub.report_bind(&self.listener.address(), Err(&io::Error::other(lost)));
    }

    /// Records that engines do not find the driver: why, and the command after which they do, unless something else is at the
    /// path of its socket.
    fn note_unregistered(&mut self, why: &str, command: Option<String>) {
        let driver = self.lost.get_or_insert_with(|| self.hub.driver());
        let blocked_by = self.listener.blocked_by();
        let path = self.listener.path().filter(|_| blocked_by.is_some_and(OtherFile::can_be_moved));
        let moved = path.map(|path| {
            let path = path.display().to_string();
            // It overwrites nothing.
            format!("sudo mv -nT {} {}", quote(&path), quote(&format!("{path}.old")))
        });
        let steps: Vec<_> = moved.into_iter().chain(command).collect();
        self.hub.register(DriverInfo {
            registration: format!("not registered: {why}"),
            fix_command: (!steps.is_empty()).then(|| steps.join(" && ")),
            ..driver.clone()
        });
    }

    /// Follows the upstream: refuses connections while it does, and takes its place again after it has restarted.
    fn check_upstream(&mut self) {
        let Some(watch) = &mut self.watch else { return };
        let note = |text: String| {
            self.hub.record(EntryKind::Note { text });
        };
        let path = self.listener.address();
        let is_removed = outage(self.driver_state) == Some(Outage::Unlink);
        let mut changed = false;
        let taken = self.listener.take_again();
        let refusal = taken.as_ref().err().map(ToString::to_string);
        let refused_before = std::mem::replace(&mut watch.refusal, refusal).is_some();
        match taken {
            Ok(Some(queued)) => {
                if let Some(forwarding) = self.routes.forwarding() {
                    forwarding.taken_again.send_replace(());
                }
                for socket in queued {
                    self.last_connection += 1;
                    self.connections.spawn(socket, self.last_connection);
                }
                note(format!("the upstream has bound its socket again; voltergeist is at {path} again"));
                bypass::end(&self.hub, &self.listener);
                watch.follow_process();
                changed = true;
            }
            Err(error) if !refused_before => {
                note(format!("cannot take {path} again, so calls bypass voltergeist: {error}"));
            }
            Ok(None) | Err(_) => {}
        }
        // It is bound first and listens a moment later.
        let is_binding = self.listener.at_path() == Some(AtPath::Another);
        let is_up = watch.is_up(is_binding);
        let was_up = std::mem::replace(&mut watch.was_up, is_up);
        if is_up != was_up {
            note(if is_up {
                "the upstream listens again".to_owned()
            } else {
                "the upstream does not listen any more; connections are refused until it does".to_owned()
            });
            changed = true;
        }
        let is_gone = !is_removed && self.listener.at_path() == Some(AtPath::Nothing);
        let was_gone = std::mem::replace(&mut watch.was_gone, is_gone);
        if is_gone && !was_gone {
            // A plugin does so at its end, and may listen a moment longer: a new socket would lose the calls of engines.
            note(format!(
                "the socket at {path} was removed, as a plugin does at its end; `up` creates it again"
            ));
        }
        if changed {
            self.reconcile_listener();
        }
    }

    async fn end(self, drain: Duration) {
        let Self { hub, routes, listener, spec, connections, frozen, mut last_connection, .. } = self;
        match (listener.give_back(), routes.forwarding(), listener.takeover_paths()) {
            (Err(error), ..) => {
                tracing::error!(%error, "cannot give the plugin's place back; run voltergeist restore");
            }
            (Ok(()), Some(forwarding), Some((path, _))) => forwarding.note_given_back(path),
            (Ok(()), ..) => {}
        }
        // Those who have connected before are still served.
        while let Some(socket) = listener.accept_queued() {
            last_connection += 1;
            connections.spawn(socket, last_connection);
        }
        drop((listener, spec));
        if let Some(frozen) = frozen {
            frozen.close("voltergeist ended").await;
        }
        connections.finish();
        let mut changes = hub.subscribe();
        let release_calls = async {
            loop {
                hub.release_all();
                // Another call may be held meanwhile.
                drop(changes.changed().await);
            }
        };
        tokio::select! {
            () = connections.closed() => {}
            () = release_calls => {}
            () = tokio::time::sleep(drain) => {
                // A call that waits for a disk that does not answer cannot be closed.
                drop(tokio::time::timeout(drain, connections.close("voltergeist ended")).await);
            }
        }
        hub.report_observed(None);
    }
}

async fn changed(watch: Option<&mut UpstreamWatch>) {
    match watch {
        Some(watch) => watch.changed().await,
        None => std::future::pending().await,
    }
}

fn outage(driver_state: DriverState) -> Option<Outage> {
    driver_state.status.outage()
}
