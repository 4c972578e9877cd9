//! A TCP proxy between an instance and one of its servers. Promise: bytes that a fact holds back
//! stay held, and are lost for ever when the client dies: the server never sees them.
//!
//! ```text
//! client ──> read ──> held (while paused) ──> write ──> server      and the same way back
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::watch,
    task::JoinHandle,
};

/// How much of a connection's beginning is searched for its name.
const HELLO_BYTES_MAX: usize = 16 * 1024;
/// AMQP's client property that names a connection, and the type tag of its value.
const NAME_KEY: &[u8] = b"connection_nameS";

/// AMQP's heartbeat frame: type 8, channel 0, no payload.
const HEARTBEAT: [u8; 8] = [8, 0, 0, 0, 0, 0, 0, 0xce];

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

/// Where a server is. It can move: a restarted container has other ports.
#[derive(Clone, Debug)]
pub struct Target(Arc<Mutex<SocketAddr>>);

impl Target {
    /// A server at this address.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self(Arc::new(Mutex::new(address)))
    }

    /// Where it is now.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        *lock(&self.0)
    }

    /// Says where it is now, to all who know this target.
    pub fn move_to(&self, address: SocketAddr) {
        *lock(&self.0) = address;
    }
}

/// The disturbances that a fact has asked for.
#[derive(Clone, Debug, Default)]
struct Rules {
    refusing: bool,
    cuts: u64,
    /// Connections with lower numbers lead nowhere any more.
    vanished: u64,
    paused: Vec<(Direction, String)>,
    /// The bytes of a client after which its answers, and all that follow, are held.
    unanswered: Option<&'static [u8]>,
    /// Connections whose client has sent these bytes. A new connection is answered until then.
    silenced: BTreeSet<u64>,
}

impl Rules {
    fn pause(&self, direction: Direction, name: &str, number: u64) -> bool {
        let is_silenced = direction == Direction::ToClient && self.silenced.contains(&number);
        let is_named =
            |(paused, part): &(Direction, String)| *paused == direction && name.contains(part);
        is_silenced || self.paused.iter().any(is_named)
    }
}

/// An open connection, as tests see it.
#[derive(Debug, Default)]
struct ConnectionState {
    name: String,
    held: [u64; 2],
}

type Connections = Arc<Mutex<BTreeMap<u64, ConnectionState>>>;

/// A proxy. Passes everything on until told otherwise.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    rules: Arc<watch::Sender<Rules>>,
    connections: Connections,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Starts a proxy to a server.
    pub async fn to(target: Target) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("proxy")?;
        let address = listener.local_addr()?;
        let rules = Arc::new(watch::Sender::new(Rules::default()));
        let connections = Connections::default();
        let accepting = accept(listener, target, Arc::clone(&rules), Arc::clone(&connections));
        let accepting = tokio::spawn(accepting);
        Ok(Self { address, rules, connections, accepting })
    }

    /// Where clients connect to.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Holds up what goes in this direction on connections whose name contains `name` (AMQP:
    /// `/relay@`, `/consume@`, `/reply@`; empty: on all). The other direction goes on.
    pub fn pause(&self, direction: Direction, name: &str) {
        self.rules.send_modify(|rules| rules.paused.push((direction, name.to_owned())));
    }

    /// Closes every connection, loses what they held, and takes no others.
    pub fn cut(&self) {
        self.rules.send_modify(|rules| rules.refusing = true);
        self.cut_once();
    }

    /// Holds up all answers on a connection from the moment when its client says these bytes.
    /// AMQP's heartbeats pass.
    pub fn hold_answers_after(&self, said: &'static [u8]) {
        self.rules.send_modify(|rules| rules.unanswered = Some(said));
    }

    /// Open connections lead nowhere from now on, and are neither closed nor reset. New connections
    /// reach the target.
    pub fn vanish(&self) {
        let next = lock(&self.connections).keys().max().map_or(0, |number| number + 1);
        self.rules.send_modify(|rules| rules.vanished = next);
    }

    /// Passes all bytes again, beginning with the held ones.
    pub fn resume(&self) {
        self.rules.send_modify(|rules| {
            rules.refusing = false;
            rules.paused.clear();
            rules.unanswered = None;
            rules.silenced.clear();
        });
    }

    /// Closes every connection, and takes others at once.
    pub fn cut_once(&self) {
        self.rules.send_modify(|rules| rules.cuts += 1);
    }

    /// The names of the open connections; empty where a connection has none.
    #[must_use]
    pub fn connections(&self) -> Vec<String> {
        lock(&self.connections).values().map(|state| state.name.clone()).collect()
    }

    /// How many bytes are held up in this direction, on connections whose name contains `name`.
    #[must_use]
    pub fn held(&self, direction: Direction, name: &str) -> u64 {
        let connections = lock(&self.connections);
        let named = connections.values().filter(|state| state.name.contains(name));
        named.map(|state| state.held[direction as usize]).sum()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
        self.accepting.abort();
    }
}

/// One proxied connection: its rules, and its state.
#[derive(Clone)]
struct ProxiedConnection {
    rules: Arc<watch::Sender<Rules>>,
    connections: Connections,
    number: u64,
    /// How many cuts there had been when it was opened: one more is its end.
    cuts: u64,
}

impl ProxiedConnection {
    fn update(&self, change: impl FnOnce(&mut ConnectionState)) {
        if let Some(state) = lock(&self.connections).get_mut(&self.number) {
            change(state);
        }
    }

    fn is_unanswered(&self) -> bool {
        self.rules.borrow().unanswered.is_some()
    }

    /// Holds up the answers from now on, if this is what they are held up after.
    fn hear(&self, said: &[u8]) {
        let unanswered = self.rules.borrow().unanswered;
        let Some(wanted) = unanswered else { return };
        if said.windows(wanted.len()).any(|bytes| bytes == wanted) {
            self.rules.send_modify(|rules| {
                rules.silenced.insert(self.number);
            });
        }
    }

    fn name(&self) -> String {
        let connections = lock(&self.connections);
        connections.get(&self.number).map_or_else(String::new, |state| state.name.clone())
    }
}

async fn accept(
    listener: TcpListener,
    target: Target,
    rules: Arc<watch::Sender<Rules>>,
    connections: Connections,
) {
    for number in 0.. {
        let Ok((client, _)) = listener.accept().await else { return };
        let (refusing, cuts) = {
            let rules = rules.borrow();
            (rules.refusing, rules.cuts)
        };
        if refusing {
            continue;
        }
        let (rules, connections) = (Arc::clone(&rules), Arc::clone(&connections));
        let connection = ProxiedConnection { rules, connections, number, cuts };
        let target = target.clone();
        tokio::spawn(async move {
            lock(&connection.connections).insert(number, ConnectionState::default());
            // However it ends, both sides learn of it by their sockets being closed.
            let _ = connect(client, target.address(), &connection).await;
            lock(&connection.connections).remove(&number);
        });
    }
}

/// Passes bytes both ways until either side is gone or the connection is cut.
async fn connect(
    mut client: TcpStream,
    target: SocketAddr,
    connection: &ProxiedConnection,
) -> std::io::Result<()> {
    let mut server = TcpStream::connect(target).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let (mut rules, mut hosts) = (connection.rules.subscribe(), connection.rules.subscribe());
    tokio::select! {
        _ = rules.wait_for(|rules| rules.cuts != connection.cuts) => return Ok(()),
        _ = hosts.wait_for(|rules| connection.number < rules.vanished) => {}
        done = pass(from_client, to_server, Direction::ToServer, connection) => return done,
        done = pass(from_server, to_client, Direction::ToClient, connection) => return done,
    }
    // The server has vanished with its host. Bytes of the client reach nobody.
    drop(server);
    let mut nobody = tokio::io::sink();
    tokio::select! {
        _ = rules.wait_for(|rules| rules.cuts != connection.cuts) => Ok(()),
        done = tokio::io::copy(&mut client, &mut nobody) => done.map(|_| ()),
    }
}

/// Passes bytes one way. Reads on while paused, so that the end of the sender is noticed; bytes
/// held at that moment, or at a cut, are lost.
async fn pass(
    mut from: tcp::ReadHalf<'_>,
    mut to: tcp::WriteHalf<'_>,
    direction: Direction,
    connection: &ProxiedConnection,
) -> std::io::Result<()> {
    let mut rules = connection.rules.subscribe();
    let (mut held, mut hello) = (Vec::with_capacity(64 * 1024), Vec::new());
    loop {
        let name = connection.name();
        let (paused, cut) = {
            let rules = rules.borrow_and_update();
            (rules.pause(direction, &name, connection.number), rules.cuts != connection.cuts)
        };
        if cut {
            return Ok(());
        }
        if !paused && !held.is_empty() {
            to.write_all(&held).await?;
            held.clear();
        }
        connection.update(|state| state.held[direction as usize] = held.len() as u64);
        let before = held.len();
        tokio::select! {
            read = from.read_buf(&mut held) => if read? == 0 {
                return Ok(());
            },
            _ = rules.changed() => {}
        }
        match direction {
            Direction::ToServer => connection.hear(&held[before..]),
            // A peer that does not answer is not one that is gone.
            Direction::ToClient if paused && connection.is_unanswered() => {
                if is_heartbeats(&held[before..]) {
                    to.write_all(&held[before..]).await?;
                    held.truncate(before);
                }
            }
            Direction::ToClient => {}
        }
        if direction == Direction::ToServer && name.is_empty() && hello.len() < HELLO_BYTES_MAX {
            hello.extend_from_slice(&held[before..]);
            if let Some(name) = connection_name(&hello) {
                connection.update(|state| state.name = name);
            }
        }
    }
}

/// Whether these bytes are nothing but AMQP's heartbeats.
fn is_heartbeats(bytes: &[u8]) -> bool {
    let mut frames = bytes.chunks_exact(HEARTBEAT.len());
    !bytes.is_empty() && frames.all(|frame| frame == HEARTBEAT) && frames.remainder().is_empty()
}

/// The name that an AMQP client gives its connection, in the properties of `Connection.StartOk`.
fn connection_name(hello: &[u8]) -> Option<String> {
    let at = hello.windows(NAME_KEY.len()).position(|bytes| bytes == NAME_KEY)?;
    let rest = &hello[at + NAME_KEY.len()..];
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    Some(String::from_utf8_lossy(rest.get(..length)?).into_owned())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_name_is_read_when_it_is_complete() {
        let hello = b"...\x0fconnection_nameS\0\0\0\x11ledger-svc/relay@x";
        assert_eq!(connection_name(hello).as_deref(), Some("ledger-svc/relay@"));
        assert_eq!(connection_name(&hello[..30]), None);
    }
}
