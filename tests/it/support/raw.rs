//! A WebSocket client on a bare TCP connection, which can send what no library would.

use base64::Engine;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::person::Person;
use super::process::Server;
use super::socket::SUBPROTOCOL;
use super::within;

pub(crate) const CONTINUATION: u8 = 0;
pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// A frame with every bit in the test's hand.
#[derive(Clone)]
pub(crate) struct Frame {
    pub(crate) fin: bool,
    pub(crate) reserved: u8,
    pub(crate) opcode: u8,
    pub(crate) masked: bool,
    pub(crate) payload: Vec<u8>,
    /// The length as it is announced, and in how many bytes (7 bits, 2 or 8 bytes), when not the true one.
    pub(crate) announced: Option<(u8, u64)>,
}

impl Frame {
    pub(crate) fn new(opcode: u8, payload: impl AsRef<[u8]>) -> Frame {
        let payload = payload.as_ref().to_vec();
        Frame { fin: true, reserved: 0, opcode, masked: true, payload, announced: None }
    }

    pub(crate) fn text(payload: impl AsRef<[u8]>) -> Frame {
        Frame::new(TEXT, payload)
    }

    /// Not the last fragment of its message.
    pub(crate) fn unfinished(self) -> Frame {
        Frame { fin: false, ..self }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![(u8::from(self.fin) << 7) | (self.reserved << 4) | self.opcode];
        let mask = u8::from(self.masked) << 7;
        let length = self.payload.len() as u64;
        let (width, length) = self.announced.unwrap_or(match length {
            0..=125 => (0, length),
            126..=65_535 => (2, length),
            _ => (8, length),
        });
        match width {
            0 => bytes.push(mask | length as u8),
            2 => {
                bytes.push(mask | 126);
                bytes.extend((length as u16).to_be_bytes());
            }
            _ => {
                bytes.push(mask | 127);
                bytes.extend(length.to_be_bytes());
            }
        }
        if self.masked {
            bytes.extend([0x11, 0x22, 0x33, 0x44]);
            bytes.extend(self.payload.iter().zip([0x11, 0x22, 0x33, 0x44].iter().cycle()).map(|(b, m)| b ^ m));
        } else {
            bytes.extend(&self.payload);
        }
        bytes
    }
}

/// What the server sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Received {
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

/// The connection.
pub(crate) struct Raw {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
}

/// The lines of a correct handshake, which a test may change before it sends them.
pub(crate) fn handshake_lines(server: &Server, token: &str) -> Vec<String> {
    let key = base64::engine::general_purpose::STANDARD.encode(uuid::Uuid::new_v4().as_bytes());
    vec![
        "GET /api/v1/ws HTTP/1.1".to_owned(),
        format!("Host: {}", server.address()),
        "Upgrade: websocket".to_owned(),
        "Connection: Upgrade".to_owned(),
        format!("Sec-WebSocket-Key: {key}"),
        "Sec-WebSocket-Version: 13".to_owned(),
        format!("Sec-WebSocket-Protocol: {SUBPROTOCOL}"),
        format!("Authorization: Bearer {token}"),
    ]
}

/// The head of an answer.
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Head {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.text.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Raw {
    /// A connection whose kernel holds little for it, so that not reading is soon felt by the server.
    pub(crate) async fn tcp(server: &Server) -> Raw {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(16 * 1024).expect("a small buffer");
        let address = server.address().parse().expect("an address");
        let stream = within("a connection", socket.connect(address)).await.expect("accepted");
        stream.set_nodelay(true).expect("nodelay");
        Raw { stream, buffer: Vec::new() }
    }

    /// A WebSocket that has not said hello.
    pub(crate) async fn open(server: &Server, person: &Person) -> Raw {
        let mut raw = Raw::tcp(server).await;
        let head = raw.request(&handshake_lines(server, &person.token)).await;
        assert_eq!(head.status, 101, "{}", head.text);
        raw
    }

    /// A WebSocket that has said hello and got its welcome.
    pub(crate) async fn online(server: &Server, person: &Person) -> Raw {
        let mut raw = Raw::open(server, person).await;
        raw.frame(&Frame::text(r#"{"type":"hello","cursors":{}}"#)).await;
        let welcome = raw.text().await;
        assert!(welcome.contains("\"welcome\""), "{welcome}");
        raw
    }

    /// Sends the head made of these lines and reads the head of the answer.
    pub(crate) async fn request(&mut self, lines: &[String]) -> Head {
        self.write(format!("{}\r\n\r\n", lines.join("\r\n")).as_bytes()).await;
        self.head().await.expect("an answer")
    }

    /// The head of the next answer, or nothing when the connection ended first.
    pub(crate) async fn head(&mut self) -> Option<Head> {
        within("the head of an answer", async {
            loop {
                if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                    let rest = self.buffer.split_off(end + 4);
                    let text = String::from_utf8_lossy(&std::mem::replace(&mut self.buffer, rest)).into_owned();
                    let status = text.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
                    return Some(Head { status, text });
                }
                if !self.fill().await {
                    return None;
                }
            }
        })
        .await
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        within("room in the socket", self.stream.write_all(bytes)).await.expect("the connection is open");
    }

    /// Writes what the server may no longer take, because it has closed: says whether it went.
    pub(crate) async fn try_write(&mut self, bytes: &[u8]) -> bool {
        matches!(tokio::time::timeout(super::DEADLINE, self.stream.write_all(bytes)).await, Ok(Ok(())))
    }

    pub(crate) async fn frame(&mut self, frame: &Frame) {
        self.write(&frame.bytes()).await;
    }

    async fn fill(&mut self) -> bool {
        matches!(self.stream.read_buf(&mut self.buffer).await, Ok(n) if n > 0)
    }

    /// Everything that comes until the server ends the connection.
    pub(crate) async fn answer_until_end(mut self) -> Vec<u8> {
        within("the end of the connection", async { while self.fill().await {} }).await;
        self.buffer
    }

    /// The next frame from the server, or nothing when the connection has ended.
    pub(crate) async fn receive(&mut self) -> Option<Received> {
        within("a frame", async {
            loop {
                if let Some(received) = self.parse() {
                    return Some(received);
                }
                if !self.fill().await {
                    return None;
                }
            }
        })
        .await
    }

    fn parse(&mut self) -> Option<Received> {
        let head = self.buffer.get(..2)?;
        assert_eq!(head[0] & 0x70, 0, "the server sets no reserved bit");
        assert_eq!(head[1] & 0x80, 0, "the server masks nothing");
        let (start, length) = match head[1] {
            126 => (4, u16::from_be_bytes(self.buffer.get(2..4)?.try_into().ok()?) as usize),
            127 => (10, u64::from_be_bytes(self.buffer.get(2..10)?.try_into().ok()?) as usize),
            short => (2, short as usize),
        };
        let opcode = head[0] & 0x0f;
        let payload = self.buffer.get(start..start + length)?.to_vec();
        self.buffer.drain(..start + length);
        Some(Received { opcode, payload })
    }

    /// The next text frame.
    pub(crate) async fn text(&mut self) -> String {
        loop {
            let received = self.receive().await.expect("a frame before the end");
            if received.opcode == TEXT {
                return String::from_utf8(received.payload).expect("UTF-8");
            }
            assert_ne!(received.opcode, CLOSE, "closed: {received:?}");
        }
    }

    /// Waits for the end: the code of the close frame, if there was one before the connection ended.
    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        let mut code = None;
        while let Some(received) = self.receive().await {
            if received.opcode == CLOSE && code.is_none() {
                code = received.payload.get(..2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]));
                // A good client answers, and the server ends the connection.
                self.try_write(&Frame::new(CLOSE, received.payload.get(..2).unwrap_or_default()).bytes()).await;
            }
        }
        code
    }
}
