//! A mail server that records all e-mails. Promise: the server speaks enough SMTP (RFC 5321) for
//! any client, and refuses as often as a fact says.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use harness::{PATIENCE, wait_value};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// An e-mail as it came.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    /// The envelope's recipient.
    pub(crate) to: String,
    /// Headers and body.
    pub(crate) text: String,
}

impl Mail {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> &str {
        let headers = self.text.lines().take_while(|line| !line.is_empty());
        let mut fields = headers.filter_map(|line| line.split_once(": "));
        fields.find(|(found, _)| found.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }
}

#[derive(Default)]
struct Received {
    mails: Vec<Mail>,
    refusals: VecDeque<&'static str>,
    /// Steps of the conversation that are refused once each.
    steps: Vec<(&'static str, &'static str)>,
}

impl Received {
    /// The refusal of a step, if one is left: `CONNECT`, or how the command begins.
    fn refusal(&mut self, command: &str) -> Option<&'static str> {
        let place = self.steps.iter().position(|(step, _)| command.starts_with(step))?;
        Some(self.steps.remove(place).1)
    }
}

/// Listens on a free port of this machine as long as it lives.
pub(crate) struct MailServer {
    address: SocketAddr,
    received: Arc<Mutex<Received>>,
    _serving: JoinSet<()>,
}

impl MailServer {
    /// Answers the first e-mails with these refusals (`451 later`), and takes all others.
    pub(crate) async fn open(refusals: &[&'static str]) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let refusals = refusals.iter().copied().collect();
        let received = Arc::new(Mutex::new(Received { refusals, ..Received::default() }));
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, Arc::clone(&received)));
        Ok(Self { address, received, _serving: serving })
    }

    /// Refuses each of these steps once: `("RCPT TO", "550 5.1.1 no such user")`; `CONNECT` is the
    /// banner.
    pub(crate) async fn refusing(steps: &[(&'static str, &'static str)]) -> Result<Self> {
        let mail_server = Self::open(&[]).await?;
        mail_server.received.lock().unwrap_or_else(PoisonError::into_inner).steps = steps.to_vec();
        Ok(mail_server)
    }

    /// For `BANKWIRE_SMTP__URL`.
    pub(crate) fn url(&self) -> String {
        format!("smtp://{}?tls=none", self.address)
    }

    /// Every e-mail that was offered, also those refused.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).mails.clone()
    }

    /// Waits until so many were offered.
    pub(crate) async fn wait(&self, count: usize) -> Result<Vec<Mail>> {
        wait_value(&format!("{count} e-mails"), PATIENCE, async || {
            let mails = self.mails();
            Ok((mails.len() >= count).then_some(mails))
        })
        .await
    }
}

async fn serve(listener: TcpListener, received: Arc<Mutex<Received>>) {
    let mut talks = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let received = Arc::clone(&received);
        // A client that breaks off has said what it had to say.
        talks.spawn(async move { drop(talk(stream, &received).await) });
    }
}

async fn talk(stream: TcpStream, received: &Mutex<Received>) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    let mut to = String::new();
    let refusal =
        |command: &str| received.lock().unwrap_or_else(PoisonError::into_inner).refusal(command);
    let banner = refusal("CONNECT").unwrap_or("220 mail_server");
    writer.write_all(format!("{banner}\r\n").as_bytes()).await?;
    if !banner.starts_with('2') {
        return Ok(());
    }
    while let Some(line) = lines.next_line().await? {
        let command = line.to_ascii_uppercase();
        if let Some(refused) = refusal(&command) {
            writer.write_all(format!("{refused}\r\n").as_bytes()).await?;
            continue;
        }
        let answer = match command {
            command if command.starts_with("RCPT TO:") => {
                line["RCPT TO:".len()..].trim_matches(['<', '>', ' ']).clone_into(&mut to);
                "250 yes"
            }
            command if command == "DATA" => {
                writer.write_all(b"354 go on\r\n").await?;
                let mut text = String::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    text.push_str(line.strip_prefix('.').unwrap_or(&line));
                    text.push('\n');
                }
                let mut received = received.lock().unwrap_or_else(PoisonError::into_inner);
                received.mails.push(Mail { to: to.clone(), text });
                received.refusals.pop_front().unwrap_or("250 received")
            }
            command if command == "QUIT" => return writer.write_all(b"221 bye\r\n").await,
            _ => "250 yes",
        };
        writer.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}
