//! Identifiers and shared bytes as they travel.

use bincode::{
    Decode, Encode,
    de::Decoder,
    enc::Encoder,
    error::{DecodeError, EncodeError},
};
use bytes::Bytes;
use rookery_core::ids::{ClientId, DeviceId, MediaId, RoomId, SessionId, UserId};
use uuid::Uuid;

/// The sixteen bytes of an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Id(pub [u8; 16]);

impl Id {
    /// A number that spreads evenly: the half of a UUID that is random in every version that is used.
    #[must_use]
    pub fn key(self) -> u64 {
        let (_, low) = self.0.split_at(8);
        low.iter().fold(0, |key, byte| key << 8 | u64::from(*byte))
    }
}

macro_rules! travels {
    ($($core:ident),*) => {
        $(
            impl From<$core> for Id {
                fn from(id: $core) -> Self {
                    Self(id.0.into_bytes())
                }
            }

            impl From<Id> for $core {
                fn from(id: Id) -> Self {
                    Self(Uuid::from_bytes(id.0))
                }
            }
        )*
    };
}

travels!(UserId, RoomId, DeviceId, SessionId, ClientId, MediaId);

/// Bytes that are passed on as they are: frames, encoded once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blob(pub Bytes);

impl Blob {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Bytes> for Blob {
    fn from(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

impl Encode for Blob {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        <[u8] as Encode>::encode(&self.0, encoder)
    }
}

impl<Context> Decode<Context> for Blob {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Ok(Self(Vec::<u8>::decode(decoder)?.into()))
    }
}

bincode::impl_borrow_decode!(Blob);

/// An enum of the wire that says the same as one of the core, word by word.
macro_rules! mirror {
    ($(#[$doc:meta])* $name:ident = $core:path { $($variant:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, bincode::Encode, bincode::Decode)]
        pub enum $name {
            $(
                #[doc = concat!("As in the core: ", stringify!($variant), ".")]
                $variant,
            )*
        }

        impl From<$core> for $name {
            fn from(it: $core) -> Self {
                match it {
                    $(<$core>::$variant => Self::$variant,)*
                }
            }
        }

        impl From<$name> for $core {
            fn from(it: $name) -> Self {
                match it {
                    $($name::$variant => <$core>::$variant,)*
                }
            }
        }
    };
}

pub(super) use mirror;
