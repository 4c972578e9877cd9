//! The socket below a connection to the broker. Promise: every address of a name is tried, each for
//! a bounded time; a broker that has gone without a word is noticed in [`SILENCE_MAX`]; what comes
//! is mended before the driver parses it, with TLS as without.
//!
//! ```text
//! broker ──> TCP (keepalive, user timeout) ──> TLS, if asked for ──> mend ──> the driver's parser
//! ```

use std::{
    future::Future,
    io::{self, Error, ErrorKind, IoSlice, Read, Write},
    net::SocketAddr,
    os::fd::{AsFd, AsRawFd},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use async_rs::{Tokio, traits::Reactor, util::RuntimeParts};
use futures_util::{
    io::{AsyncRead, AsyncWrite},
    stream::Stream,
};
use lapin::{
    tcp::{AsyncTcpStream, OwnedTLSConfig},
    uri::{AMQPScheme, AMQPUri},
};
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::lookup_host,
    time::{Instant, Sleep, sleep_until, timeout},
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::frame_repair::{FRAME_BYTES_MAX, FrameRepair};

/// The heartbeat that we ask of the broker: it looks twice in this time whether it has said
/// something, so that at most so much passes between two words of a broker that is well.
pub(crate) const HEARTBEAT_SECONDS: u16 = 3;
/// A broker that has said nothing for so long is gone: its host has lost power or its network.
const SILENCE_MAX: Duration = Duration::from_secs(5);
/// How long the kernel waits for the other side to acknowledge what was sent.
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(5);
/// An address that has not answered by then is given up for the next of the name.
const ADDRESS_TIMEOUT: Duration = Duration::from_secs(2);
/// All addresses of a name and the TLS handshake together.
const OPEN_TIMEOUT: Duration = Duration::from_secs(8);
/// Two of the largest frames, so that there is room behind one that is held.
const BUFFER_BYTES: usize = 2 * (FRAME_BYTES_MAX as usize + 8);

type TcpStream = <Tokio as Reactor>::TcpStream;
/// What lapin runs on: our tokio runtime, and sockets of this file.
pub(crate) type DriverRuntime = RuntimeParts<Tokio, SocketReactor>;

/// Opens the socket of one connection.
#[derive(Clone, Debug)]
pub(crate) struct SocketReactor {
    tokio: Tokio,
    given_up: CancellationToken,
}

impl SocketReactor {
    /// For a connection that ends when `given_up` is cancelled.
    pub(crate) fn new(given_up: CancellationToken) -> Self {
        Self { tokio: Tokio::current(), given_up }
    }

    /// What the driver runs this connection on.
    pub(crate) fn kit(&self) -> DriverRuntime {
        RuntimeParts::new(self.tokio.clone(), self.clone())
    }

    /// Opens a socket to the first of a name's addresses that answers, with TLS if the scheme says
    /// so.
    pub(crate) async fn open(&self, uri: &AMQPUri) -> io::Result<Socket> {
        let opening = async {
            let (host, port) = (uri.authority.host.as_str(), uri.authority.port);
            let plain = AsyncTcpStream::Plain(self.connect(host, port).await?);
            match uri.scheme {
                AMQPScheme::AMQP => Ok(plain),
                AMQPScheme::AMQPS => plain.into_tls(host, OwnedTLSConfig::default().as_ref()).await,
            }
        };
        let late = |_| Error::new(ErrorKind::TimedOut, "the broker's host does not answer");
        let stream = timeout(OPEN_TIMEOUT, opening).await.map_err(late)??;
        Ok(Socket::new(stream, self.given_up.clone()))
    }

    async fn connect(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        let mut last = Error::new(ErrorKind::NotFound, "the name has no address");
        for address in lookup_host((host, port)).await? {
            let connecting = self.tokio.tcp_connect_addr(address);
            match timeout(ADDRESS_TIMEOUT, connecting).await {
                Ok(Ok(stream)) => return watched(stream),
                Ok(Err(error)) => last = error,
                Err(_) => last = Error::new(ErrorKind::TimedOut, "no answer"),
            }
            last = Error::new(last.kind(), format!("{address}: {last}"));
        }
        Err(last)
    }
}

/// Has the kernel look after a connection: whoever vanishes without a reset is noticed.
fn watched(stream: TcpStream) -> io::Result<TcpStream> {
    let socket = SockRef::from(stream.get_ref());
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(3))
        .with_interval(Duration::from_secs(1))
        .with_retries(3);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED_MAX))?;
    Ok(stream)
}

impl Reactor for SocketReactor {
    type TcpStream = Socket;
    type Sleep = Sleep;

    fn register<H: Read + Write + AsFd + AsRawFd + Send + 'static>(
        &self,
        socket: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        self.tokio.register(socket)
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.tokio.sleep(duration)
    }

    fn interval(
        &self,
        duration: Duration,
    ) -> impl Stream<Item = std::time::Instant> + Send + 'static {
        self.tokio.interval(duration)
    }

    fn tcp_connect_addr(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Socket>> + Send + 'static {
        let (connecting, given_up) = (self.tokio.tcp_connect_addr(address), self.given_up.clone());
        async move {
            let stream = AsyncTcpStream::Plain(watched(connecting.await?)?);
            Ok(Socket::new(stream, given_up))
        }
    }
}

/// A connection's stream of bytes, mended.
pub(crate) struct Socket {
    stream: AsyncTcpStream<TcpStream>,
    inbox: Inbox,
    heard: Instant,
    /// Rings at the latest when the broker has been silent for too long.
    alarm: Pin<Box<Sleep>>,
    given_up: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Socket {
    fn new(stream: AsyncTcpStream<TcpStream>, given_up: CancellationToken) -> Self {
        let heard = Instant::now();
        Self {
            stream,
            inbox: Inbox::new(),
            heard,
            alarm: Box::pin(sleep_until(heard + SILENCE_MAX)),
            given_up: Box::pin(given_up.cancelled_owned()),
        }
    }

    /// Why a connection on which nothing comes is over, if it is.
    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<Error> {
        if self.given_up.as_mut().poll(context).is_ready() {
            return Poll::Ready(Error::new(ErrorKind::ConnectionAborted, "it was given up"));
        }
        loop {
            ready!(self.alarm.as_mut().poll(context));
            let silent_until = self.heard + SILENCE_MAX;
            if silent_until <= Instant::now() {
                let seconds = SILENCE_MAX.as_secs();
                let why = format!("the broker has said nothing for {seconds} s");
                return Poll::Ready(Error::new(ErrorKind::TimedOut, why));
            }
            self.alarm.as_mut().reset(silent_until);
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let socket = self.get_mut();
        while socket.inbox.is_empty() {
            match Pin::new(&mut socket.stream).poll_read(context, socket.inbox.space()) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Ok(0)),
                Poll::Ready(Ok(count)) => {
                    socket.inbox.take_in(count);
                    socket.heard = Instant::now();
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return socket.poll_end(context).map(Err),
            }
        }
        Poll::Ready(Ok(socket.inbox.give(buffer)))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, parts)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_close(context)
    }
}

/// What has come and is not passed on yet: `..given` is done with, `given..mended` may be passed
/// on, `mended..filled` is the beginning of a frame whose rest has not come.
struct Inbox {
    frames: FrameRepair,
    buffer: Box<[u8]>,
    given: usize,
    mended: usize,
    filled: usize,
}

impl Inbox {
    fn new() -> Self {
        let buffer = vec![0; BUFFER_BYTES].into_boxed_slice();
        Self { frames: FrameRepair::default(), buffer, given: 0, mended: 0, filled: 0 }
    }

    const fn is_empty(&self) -> bool {
        self.given == self.mended
    }

    /// Room for more, behind what is held. There always is some: a frame that is held is at most
    /// half of the buffer.
    fn space(&mut self) -> &mut [u8] {
        self.buffer.copy_within(self.mended..self.filled, 0);
        self.filled -= self.mended;
        (self.given, self.mended) = (0, 0);
        &mut self.buffer[self.filled..]
    }

    /// Takes in what was read into the [`Inbox::space`].
    fn take_in(&mut self, count: usize) {
        self.filled += count;
        self.mended = self.frames.mend(&mut self.buffer[..self.filled]);
    }

    fn give(&mut self, buffer: &mut [u8]) -> usize {
        let count = buffer.len().min(self.mended - self.given);
        buffer[..count].copy_from_slice(&self.buffer[self.given..self.given + count]);
        self.given += count;
        count
    }
}
