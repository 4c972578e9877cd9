//! The socket below a connection to the broker. Promise: every address of a host name is tried,
//! each for a bounded time; a broker that vanishes without a reset is noticed in [`SILENCE_MAX`];
//! frames are repaired before the driver parses them, with TLS and without.
//!
//! ```text
//! broker ──> TCP (keepalive, user timeout) ──> TLS, for `amqps` ──> repair ──> driver's parser
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
use lapin::uri::{AMQPScheme, AMQPUri};
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpStream, lookup_host},
    time::{Instant, Sleep, sleep_until, timeout},
};
use tokio_util::{
    compat::TokioAsyncReadCompatExt,
    sync::{CancellationToken, WaitForCancellationFutureOwned},
};

use super::{
    frame_repair::{FRAME_BYTES_MAX, FrameRepair},
    tls::{TlsFiles, encrypt},
};

/// The heartbeat interval that the broker is asked for. The broker sends twice in this time, so a
/// healthy broker is never silent for longer.
pub(crate) const HEARTBEAT_SECONDS: u16 = 3;
/// A broker that is silent for so long is gone: its host has lost power or its network.
const SILENCE_MAX: Duration = Duration::from_secs(5);
/// The kernel's bound for the acknowledgement of sent bytes.
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(5);
/// The bound for one address of a host name; then the next address is tried.
const ADDRESS_TIMEOUT: Duration = Duration::from_secs(2);
/// All addresses of a name and the TLS handshake together.
const OPEN_TIMEOUT: Duration = Duration::from_secs(8);
/// Two of the largest frames: room for more behind one incomplete frame.
const BUFFER_BYTES: usize = 2 * (FRAME_BYTES_MAX as usize + 8);

/// The bytes from and to the broker, encrypted or not.
trait ByteStream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> ByteStream for S {}

/// The driver's runtime: tokio, with the sockets of this file.
pub(crate) type DriverRuntime = RuntimeParts<Tokio, SocketReactor>;

/// Opens the socket of one connection.
#[derive(Clone, Debug)]
pub(crate) struct SocketReactor {
    tokio: Tokio,
    given_up: CancellationToken,
    tls: TlsFiles,
}

impl SocketReactor {
    /// Opens the socket of a connection that ends when `given_up` is cancelled.
    pub(super) fn new(given_up: CancellationToken, tls: TlsFiles) -> Self {
        Self { tokio: Tokio::current(), given_up, tls }
    }

    /// The driver's runtime for this connection.
    pub(crate) fn runtime(&self) -> DriverRuntime {
        RuntimeParts::new(self.tokio.clone(), self.clone())
    }

    /// Opens a socket to the first address of the host that answers, with TLS for `amqps`.
    pub(crate) async fn open(&self, uri: &AMQPUri) -> io::Result<Socket> {
        let opening = async {
            let (host, port) = (uri.authority.host.as_str(), uri.authority.port);
            let tcp = connect(host, port).await?;
            let stream: Box<dyn ByteStream> = match uri.scheme {
                AMQPScheme::AMQP => Box::new(tcp.compat()),
                AMQPScheme::AMQPS => Box::new(encrypt(host, tcp, &self.tls).await?.compat()),
            };
            io::Result::Ok(stream)
        };
        let late = |_| Error::new(ErrorKind::TimedOut, "the broker's host does not answer");
        let stream = timeout(OPEN_TIMEOUT, opening).await.map_err(late)??;
        Ok(Socket::new(stream, self.given_up.clone()))
    }
}

/// Connects to the first address of the host that answers.
async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut last = Error::new(ErrorKind::NotFound, "the name has no address");
    for address in lookup_host((host, port)).await? {
        match timeout(ADDRESS_TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return configured(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = Error::new(ErrorKind::TimedOut, "no answer"),
        }
        last = Error::new(last.kind(), format!("{address}: {last}"));
    }
    Err(last)
}

/// Turns on the kernel's keepalive, so that a peer that vanishes without a reset is noticed, and
/// turns off its wait for more bytes: TLS writes a batch in several parts, and the kernel would
/// keep the last part until the broker has acknowledged the others, up to 40 ms.
fn configured(stream: TcpStream) -> io::Result<TcpStream> {
    let socket = SockRef::from(&stream);
    stream.set_nodelay(true)?;
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
        let given_up = self.given_up.clone();
        async move {
            let stream = configured(TcpStream::connect(address).await?)?;
            Ok(Socket::new(Box::new(stream.compat()), given_up))
        }
    }
}

/// A connection's stream of bytes, with repaired frames.
pub(crate) struct Socket {
    stream: Box<dyn ByteStream>,
    buffer: FrameBuffer,
    heard: Instant,
    /// Ends no later than the bound of the broker's silence.
    silence: Pin<Box<Sleep>>,
    given_up: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Socket {
    fn new(stream: Box<dyn ByteStream>, given_up: CancellationToken) -> Self {
        let heard = Instant::now();
        Self {
            stream,
            buffer: FrameBuffer::new(),
            heard,
            silence: Box::pin(sleep_until(heard + SILENCE_MAX)),
            given_up: Box::pin(given_up.cancelled_owned()),
        }
    }

    /// The reason why an idle connection has ended, if it has.
    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<Error> {
        if self.given_up.as_mut().poll(context).is_ready() {
            return Poll::Ready(Error::new(
                ErrorKind::ConnectionAborted,
                "the connection was given up",
            ));
        }
        loop {
            ready!(self.silence.as_mut().poll(context));
            let silent_until = self.heard + SILENCE_MAX;
            if silent_until <= Instant::now() {
                let seconds = SILENCE_MAX.as_secs();
                let why = format!("the broker was silent for {seconds} s");
                return Poll::Ready(Error::new(ErrorKind::TimedOut, why));
            }
            self.silence.as_mut().reset(silent_until);
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
        while socket.buffer.is_empty() {
            match Pin::new(&mut socket.stream).poll_read(context, socket.buffer.space()) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Ok(0)),
                Poll::Ready(Ok(count)) => {
                    socket.buffer.accept(count);
                    socket.heard = Instant::now();
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return socket.poll_end(context).map(Err),
            }
        }
        Poll::Ready(Ok(socket.buffer.give(buffer)))
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

/// Received bytes that the driver has not read yet: the driver has read `..given`, may read
/// `given..repaired`, and has to wait for the rest of the frame that begins `repaired..filled`.
struct FrameBuffer {
    frames: FrameRepair,
    buffer: Box<[u8]>,
    given: usize,
    repaired: usize,
    filled: usize,
}

impl FrameBuffer {
    fn new() -> Self {
        let buffer = vec![0; BUFFER_BYTES].into_boxed_slice();
        Self { frames: FrameRepair::default(), buffer, given: 0, repaired: 0, filled: 0 }
    }

    const fn is_empty(&self) -> bool {
        self.given == self.repaired
    }

    /// The free space behind the incomplete frame, which is at most half of the buffer.
    fn space(&mut self) -> &mut [u8] {
        self.buffer.copy_within(self.repaired..self.filled, 0);
        self.filled -= self.repaired;
        (self.given, self.repaired) = (0, 0);
        &mut self.buffer[self.filled..]
    }

    /// Accepts bytes that were read into the [`FrameBuffer::space`].
    fn accept(&mut self, count: usize) {
        self.filled += count;
        self.repaired = self.frames.repair(&mut self.buffer[..self.filled]);
    }

    fn give(&mut self, buffer: &mut [u8]) -> usize {
        let count = buffer.len().min(self.repaired - self.given);
        buffer[..count].copy_from_slice(&self.buffer[self.given..self.given + count]);
        self.given += count;
        count
    }
}
