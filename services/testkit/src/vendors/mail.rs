//! A mail server on this machine that speaks as much SMTP as a client hands mail in with: EHLO, AUTH, MAIL, RCPT,
//! DATA, RSET, NOOP, QUIT. Owns no mailbox beyond a list.
//!
//! Source: RFC 5321 for commands and replies, RFC 4954 for AUTH PLAIN and its refusal 535.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::VendorMode;

/// What one address got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenMail {
    /// The address in `RCPT TO`.
    pub to: String,
    /// Headers and body as they came.
    pub data: String,
}

impl TakenMail {
    /// A header, with its folded lines joined.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.data.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ").replace("\r\n\t", " ");
        let found = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        found.map(str::to_owned)
    }
}

struct MailDesk {
    secret: String,
    mode: Mutex<VendorMode>,
    taken: Mutex<Vec<TakenMail>>,
    unknown: Mutex<Vec<String>>,
}

/// The server. It ends with the value.
pub struct MailStandIn {
    address: String,
    desk: Arc<MailDesk>,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for MailStandIn {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl MailStandIn {
    /// A server that takes mail from the account `ops` with this password.
    pub async fn start(secret: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let desk = Arc::new(MailDesk {
            secret: secret.to_owned(),
            mode: Mutex::new(VendorMode::Take),
            taken: Mutex::default(),
            unknown: Mutex::default(),
        });
        let shared = Arc::clone(&desk);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let desk = Arc::clone(&shared);
                tokio::spawn(async move { serve(stream, desk).await.ok() });
            }
        });
        Self { address, desk, serving }
    }

    /// `smtp://HOST:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// What becomes of mail from now on.
    pub fn mode(&self, mode: VendorMode) {
        *self.desk.mode.lock().unwrap() = mode;
    }

    /// There is no such mailbox.
    pub fn knows_not(&self, address: &str) {
        self.desk.unknown.lock().unwrap().push(address.to_owned());
    }

    /// Every mail that was taken, oldest first.
    #[must_use]
    pub fn taken(&self) -> Vec<TakenMail> {
        self.desk.taken.lock().unwrap().clone()
    }
}

async fn serve(stream: TcpStream, desk: Arc<MailDesk>) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read);
    let (mut to, mut allowed) = (Vec::new(), false);
    write.write_all(b"220 mail.example.com ESMTP\r\n").await?;
    let mut line = String::new();
    loop {
        line.clear();
        if lines.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let command = line.trim_end();
        let verb = command.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let mode = *desk.mode.lock().unwrap();
        let reply: String = match verb.as_str() {
            "EHLO" => "250-mail.example.com\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN LOGIN".into(),
            "HELO" | "NOOP" => "250 ok".into(),
            "RSET" => {
                to.clear();
                "250 ok".into()
            }
            "AUTH" => {
                allowed = command.split(' ').nth(2).is_some_and(|given| given == plain("ops", &desk.secret));
                if allowed { "235 2.7.0 accepted".into() } else { "535 5.7.8 bad credentials".into() }
            }
            "MAIL" if !allowed => "530 5.7.0 authentication required".into(),
            "MAIL" => match mode {
                VendorMode::Limit(_) => "450 4.7.1 rate limit exceeded, try again later".into(),
                VendorMode::Down => "421 4.3.2 service not available".into(),
                VendorMode::Refuse => "552 5.3.4 message too big".into(),
                VendorMode::Take | VendorMode::LoseReply => "250 2.1.0 ok".into(),
            },
            "RCPT" => {
                let address = command.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                let unknown = desk.unknown.lock().unwrap().contains(&address);
                if unknown {
                    "550 5.1.1 no such mailbox".into()
                } else {
                    to.push(address);
                    "250 2.1.5 ok".into()
                }
            }
            "DATA" => {
                write.write_all(b"354 go ahead\r\n").await?;
                let data = data(&mut lines).await?;
                let number = {
                    let mut taken = desk.taken.lock().unwrap();
                    taken.extend(to.drain(..).map(|to| TakenMail { to, data: data.clone() }));
                    taken.len()
                };
                if mode == VendorMode::LoseReply {
                    tokio::time::sleep(Duration::from_secs(60)).await;
                }
                format!("250 2.0.0 queued as Q{number}")
            }
            "QUIT" => {
                write.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => "500 5.5.1 unknown command".into(),
        };
        write.write_all(format!("{reply}\r\n").as_bytes()).await?;
    }
}

async fn data(lines: &mut (impl tokio::io::AsyncBufRead + Unpin)) -> std::io::Result<String> {
    let (mut data, mut line) = (String::new(), String::new());
    loop {
        line.clear();
        // A message that is cut off is none: only the line with a full stop ends it.
        if lines.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(data);
        }
        data.push_str(line.strip_prefix("..").map(|_| &line[1..]).unwrap_or(&line));
    }
}

/// The word of AUTH PLAIN: base64 of `\0user\0password`.
fn plain(user: &str, password: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in format!("\0{user}\0{password}").as_bytes().chunks(3) {
        let whole = group.iter().fold(0_u32, |whole, byte| whole << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = DIGITS[(whole >> (18 - 6 * place)) as usize & 63];
            out.push(if place <= group.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_word_of_auth_plain_is_base64() {
        assert_eq!(super::plain("ops", "hunter2"), "AG9wcwBodW50ZXIy");
        assert_eq!(super::plain("ops", "hunter22"), "AG9wcwBodW50ZXIyMg==");
        assert_eq!(super::plain("ops", "hunter222"), "AG9wcwBodW50ZXIyMjI=");
    }
}
