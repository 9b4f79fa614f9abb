//! The first words on a connection between nodes, inside TLS and before anything else: who, which life, which versions.
//!
//! `magic, oldest version, newest version, length, bincode`. The part before the length stays for ever, so that a node of
//! any version can tell a node of any other that they have no version in common.

use bincode::{
    Decode, Encode,
    config::{Configuration, Limit, LittleEndian, Varint},
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::cluster::wire::{OLDEST, VERSION, frame::Token};

const MAGIC: [u8; 8] = *b"rookery\n";
/// Bytes of the words at most.
const LARGEST: usize = 1_024;
const CONFIG: Configuration<LittleEndian, Varint, Limit<4_096>> = bincode::config::standard().with_limit::<4_096>();

/// What one end says.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Words {
    /// Who it is.
    Hello(Hello),
    /// Why it does not want the connection.
    Refused(String),
}

/// Who one end is.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Hello {
    /// The cluster.
    pub cluster: String,
    /// The node.
    pub node: String,
    /// Which of its lives.
    pub incarnation: u64,
    /// How many relays it has.
    pub relays: u16,
    /// What the other end puts on everything that it sends by this connection.
    pub token: Token,
}

/// Why a connection came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// The socket.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It took too long.
    #[error("took too long")]
    TooLong,
    /// Not the words of a node.
    #[error("does not speak as a node does")]
    Garbage,
    /// No version in common.
    #[error("speaks versions {0} to {1}, this node {OLDEST} to {VERSION}")]
    Version(u8, u8),
    /// The certificate does not name the node that it says it is.
    #[error("shows a certificate of another node")]
    Impostor,
    /// It is not who was meant, or should not have come.
    #[error("is not wanted: {0}")]
    Unwanted(&'static str),
    /// The other end refused.
    #[error("refused: {0}")]
    Refused(String),
}

impl DoorError {
    /// The word under which it is counted.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Io(_) => "handshake",
            Self::TooLong => "deadline",
            Self::Garbage => "garbage",
            Self::Version(..) => "version",
            Self::Impostor => "certificate",
            Self::Unwanted(_) => "unwanted",
            Self::Refused(_) => "refused",
        }
    }
}

/// The bytes of what is said, by a node that speaks these versions.
#[must_use]
pub fn encode(words: &Words, oldest: u8, newest: u8) -> Vec<u8> {
    let body = bincode::encode_to_vec(words, CONFIG).unwrap_or_default();
    let mut bytes = Vec::with_capacity(MAGIC.len() + 4 + body.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&[oldest, newest]);
    // The names are labels, so that a body never comes near this.
    bytes.extend_from_slice(&u16::try_from(body.len()).unwrap_or(u16::MAX).to_le_bytes());
    bytes.extend_from_slice(&body);
    bytes
}

/// Says something.
///
/// # Errors
/// The socket.
pub async fn say(stream: &mut (impl AsyncWrite + Unpin), words: &Words) -> Result<(), DoorError> {
    stream.write_all(&encode(words, OLDEST, VERSION)).await?;
    Ok(stream.flush().await?)
}

/// Hears what the other end says.
///
/// # Errors
/// It is no node, has no version in common, or refuses.
pub async fn hear(stream: &mut (impl AsyncRead + Unpin)) -> Result<Hello, DoorError> {
    let mut head = [0; MAGIC.len() + 4];
    stream.read_exact(&mut head).await?;
    let Some((magic, [oldest, newest, length @ ..])) = head.split_first_chunk::<8>() else {
        return Err(DoorError::Garbage);
    };
    let length = length.try_into().map_or(usize::MAX, |length| usize::from(u16::from_le_bytes(length)));
    if *magic != MAGIC || length > LARGEST {
        return Err(DoorError::Garbage);
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let words = bincode::decode_from_slice::<Words, _>(&body, CONFIG).map(|(words, _)| words);
    if let Ok(Words::Refused(why)) = words {
        return Err(DoorError::Refused(why.chars().filter(|letter| !letter.is_control()).take(200).collect()));
    }
    if *oldest > VERSION || *newest < OLDEST {
        return Err(DoorError::Version(*oldest, *newest));
    }
    match words {
        Ok(Words::Hello(hello)) => Ok(hello),
        _ => Err(DoorError::Garbage),
    }
}
