//! A publisher without checks. Promise: a message goes over the wire byte for byte, also bytes that
//! no driver sends; a call returns when the broker has taken all of them.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::PATIENCE;

const METHOD: u8 = 1;
const CONTENT_HEADER: u8 = 2;
const BODY: u8 = 3;
const FRAME_END: u8 = 0xce;
/// Class and method, as the specification numbers them.
type Method = (u16, u16);
const START: Method = (10, 10);
const TUNE: Method = (10, 30);
const CONNECTION_OPEN_OK: Method = (10, 41);
const CONNECTION_CLOSE_OK: Method = (10, 51);
const CHANNEL_OPEN_OK: Method = (20, 11);
const CHANNEL_CLOSE_OK: Method = (20, 41);

/// A property of a message: its flag, and its bytes as they stand on the wire.
#[derive(Clone, Debug)]
pub struct RawProperty {
    flag: u16,
    bytes: Vec<u8>,
}

impl RawProperty {
    /// `content_type`.
    #[must_use]
    pub fn content_type(text: &[u8]) -> Self {
        Self { flag: 1 << 15, bytes: short(text) }
    }

    /// `headers`, each a key and the bytes of a value with its tag.
    #[must_use]
    pub fn headers(entries: &[(&[u8], Vec<u8>)]) -> Self {
        let entry = |(key, value): &(&[u8], Vec<u8>)| [short(key), value.clone()].concat();
        Self { flag: 1 << 13, bytes: long(&entries.iter().flat_map(entry).collect::<Vec<u8>>()) }
    }

    /// `reply_to`.
    #[must_use]
    pub fn reply_to(text: &[u8]) -> Self {
        Self { flag: 1 << 9, bytes: short(text) }
    }

    /// `message_id`.
    #[must_use]
    pub fn message_id(text: &[u8]) -> Self {
        Self { flag: 1 << 7, bytes: short(text) }
    }

    /// `type`.
    #[must_use]
    pub fn kind(text: &[u8]) -> Self {
        Self { flag: 1 << 5, bytes: short(text) }
    }

    /// `user_id`.
    #[must_use]
    pub fn user_id(text: &[u8]) -> Self {
        Self { flag: 1 << 4, bytes: short(text) }
    }

    /// `app_id`.
    #[must_use]
    pub fn app_id(text: &[u8]) -> Self {
        Self { flag: 1 << 3, bytes: short(text) }
    }
}

/// The value of a header: a text.
#[must_use]
pub fn raw_text(text: &[u8]) -> Vec<u8> {
    [b"S".to_vec(), long(text)].concat()
}

/// The value of a header: tables in tables, so many.
#[must_use]
pub fn raw_nested(depth: usize) -> Vec<u8> {
    (0..depth).fold(b"V".to_vec(), |inner, _| {
        [b"F".to_vec(), long(&[short(b"k"), inner].concat())].concat()
    })
}

/// A connection to the broker, with one channel.
#[derive(Debug)]
pub struct RawPublisher {
    stream: TcpStream,
}

impl RawPublisher {
    /// Connects as a user to a virtual host.
    pub async fn connect(
        address: SocketAddr,
        vhost: &str,
        (user, password): (&str, &str),
    ) -> Result<Self> {
        let mut publisher = Self { stream: TcpStream::connect(address).await? };
        publisher.stream.write_all(b"AMQP\0\0\x09\x01").await?;
        publisher.wait_for(START).await?;
        let plain = format!("\0{user}\0{password}");
        let start_ok = [long(b""), short(b"PLAIN"), long(plain.as_bytes()), short(b"en_US")];
        publisher.call((10, 11), &start_ok.concat(), TUNE).await?;
        // RabbitMQ's number of channels and frame size, no heartbeat.
        publisher
            .send(0, METHOD, &[method((10, 31)), vec![7, 255, 0, 2, 0, 0, 0, 0]].concat())
            .await?;
        let open = [short(vhost.as_bytes()), short(b""), vec![0]].concat();
        publisher.call((10, 40), &open, CONNECTION_OPEN_OK).await?;
        publisher.send(1, METHOD, &[method((20, 10)), short(b"")].concat()).await?;
        publisher.wait_for(CHANNEL_OPEN_OK).await?;
        Ok(publisher)
    }

    /// Publishes one message.
    pub async fn publish(
        &mut self,
        exchange: &str,
        routing_key: &[u8],
        properties: &[RawProperty],
        body: &[u8],
    ) -> Result<()> {
        let to = [short(exchange.as_bytes()), short(routing_key)].concat();
        let publish = [method((60, 40)), vec![0, 0], to, vec![0]].concat();
        self.send(1, METHOD, &publish).await?;
        // On the wire they are in the order of their flags, highest first.
        let mut properties = properties.to_vec();
        properties.sort_by_key(|property| std::cmp::Reverse(property.flag));
        let flags = properties.iter().fold(0, |flags, property| flags | property.flag);
        let fields: Vec<u8> =
            properties.iter().flat_map(|property| property.bytes.clone()).collect();
        let size = (body.len() as u64).to_be_bytes();
        let head = [&60_u16.to_be_bytes()[..], &[0, 0], &size, &u16::to_be_bytes(flags)].concat();
        self.send(1, CONTENT_HEADER, &[head, fields].concat()).await?;
        match body {
            [] => Ok(()),
            body => self.send(1, BODY, body).await,
        }
    }

    /// Ends the connection: then the broker has taken everything, or says why not.
    pub async fn finish(mut self) -> Result<()> {
        let goodbye = [vec![0, 200], short(b"done"), vec![0; 4]].concat();
        self.send(1, METHOD, &[method((20, 40)), goodbye.clone()].concat()).await?;
        self.wait_for(CHANNEL_CLOSE_OK).await?;
        self.call((10, 50), &goodbye, CONNECTION_CLOSE_OK).await
    }

    async fn call(&mut self, asked: Method, arguments: &[u8], answer: Method) -> Result<()> {
        self.send(0, METHOD, &[&method(asked), arguments].concat()).await?;
        self.wait_for(answer).await
    }

    async fn send(&mut self, channel: u16, kind: u8, payload: &[u8]) -> Result<()> {
        let size = u32::try_from(payload.len())?.to_be_bytes();
        let head = [&[kind][..], &channel.to_be_bytes(), &size].concat();
        self.stream.write_all(&[&head, payload, &[FRAME_END]].concat()).await?;
        Ok(())
    }

    async fn wait_for(&mut self, wanted: Method) -> Result<()> {
        let reading = async {
            loop {
                let mut head = [0; 7];
                self.stream.read_exact(&mut head).await.context("the broker hung up")?;
                let [kind, _, _, size @ ..] = head;
                let mut payload = vec![0; u32::from_be_bytes(size) as usize + 1];
                self.stream.read_exact(&mut payload).await?;
                if kind != METHOD {
                    continue;
                }
                ensure!(payload.len() > 4, "a method without a number");
                let number = |at: usize| u16::from_be_bytes([payload[at], payload[at + 1]]);
                let came = (number(0), number(2));
                if came != wanted {
                    bail!("{came:?} came: {}", String::from_utf8_lossy(&payload[4..]));
                }
                return Ok(());
            }
        };
        timeout(PATIENCE, reading).await.with_context(|| format!("{wanted:?} did not come"))?
    }
}

fn method((class, method): Method) -> Vec<u8> {
    [class.to_be_bytes(), method.to_be_bytes()].concat()
}

fn short(text: &[u8]) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("a short string has at most 255 bytes");
    [&[length], text].concat()
}

fn long(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("a long string fits into a frame");
    [&length.to_be_bytes(), bytes].concat()
}
