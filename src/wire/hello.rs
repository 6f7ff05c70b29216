//! The greeting, laid by hand and frozen: it must be readable by every version there will ever be, so
//! that two that do not fit can say so.
//!
//! ```text
//! client  24 bytes  "HIVEWIRE" · version u16 · role u8 · 5 × 0 · since u64
//! server  16 bytes  "HIVEWIRE" · version u16 · verdict u8 · 5 × 0      after a refusal: a frame of text
//! ```
//!
//! Numbers are little-endian. `since` is the newest view the client still has, 0 for none.

/// What every greeting begins with.
pub const MAGIC: [u8; 8] = *b"HIVEWIRE";
/// Bytes of a client's greeting.
pub const CLIENT_BYTES: usize = 24;
/// Bytes of a server's greeting.
pub const SERVER_BYTES: usize = 16;

/// What a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientRole {
    /// Watches and commands.
    Cockpit,
    /// Watches; its commands are refused.
    ReadOnly,
    /// Asks and commands; is sent no views.
    Ctl,
}

impl ClientRole {
    /// Whether it is sent views.
    pub fn watches(self) -> bool {
        self != ClientRole::Ctl
    }

    /// Whether it may command.
    pub fn commands(self) -> bool {
        self != ClientRole::ReadOnly
    }
}

/// A client's greeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Version of the protocol it speaks.
    pub version: u16,
    /// What it is; none if this version does not know.
    pub role: Option<ClientRole>,
    /// The newest view it has.
    pub since: u64,
}

/// What a server says to a greeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HelloVerdict {
    /// The client is let in.
    Welcome,
    /// The client speaks another version of the protocol.
    Version,
    /// The client's process belongs to another user.
    Peer,
    /// Too many clients.
    Full,
    /// A role this version does not know.
    Role,
    /// Something a later version says.
    Other(u8),
}

const ROLES: [ClientRole; 3] = [ClientRole::Cockpit, ClientRole::ReadOnly, ClientRole::Ctl];
const VERDICTS: [HelloVerdict; 5] = [
    HelloVerdict::Welcome,
    HelloVerdict::Version,
    HelloVerdict::Peer,
    HelloVerdict::Full,
    HelloVerdict::Role,
];

/// Lays a client's greeting.
pub fn client(version: u16, role: ClientRole, since: u64) -> [u8; CLIENT_BYTES] {
    let mut bytes = [0; CLIENT_BYTES];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..10].copy_from_slice(&version.to_le_bytes());
    bytes[10] = ROLES.iter().position(|r| *r == role).unwrap_or_default() as u8;
    bytes[16..].copy_from_slice(&since.to_le_bytes());
    bytes
}

/// Reads a client's greeting; none if it is something else.
pub fn read_client(bytes: &[u8; CLIENT_BYTES]) -> Option<Hello> {
    let since = bytes.last_chunk::<8>().copied().map(u64::from_le_bytes)?;
    let role = ROLES.get(usize::from(bytes[10])).copied();
    bytes.starts_with(&MAGIC).then_some(Hello {
        version: u16::from_le_bytes([bytes[8], bytes[9]]),
        role,
        since,
    })
}

/// Lays a server's greeting.
pub fn server(version: u16, verdict: HelloVerdict) -> [u8; SERVER_BYTES] {
    let mut bytes = [0; SERVER_BYTES];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..10].copy_from_slice(&version.to_le_bytes());
    bytes[10] = match verdict {
        HelloVerdict::Other(n) => n,
        known => VERDICTS.iter().position(|v| *v == known).unwrap_or_default() as u8,
    };
    bytes
}

/// Reads a server's greeting: its version and verdict; none if it is something else.
pub fn read_server(bytes: &[u8; SERVER_BYTES]) -> Option<(u16, HelloVerdict)> {
    let verdict = VERDICTS.get(usize::from(bytes[10])).copied().unwrap_or(HelloVerdict::Other(bytes[10]));
    bytes.starts_with(&MAGIC).then_some((u16::from_le_bytes([bytes[8], bytes[9]]), verdict))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn golden_greetings_are_frozen() {
        assert_eq!(
            client(1, ClientRole::Ctl, 0x0102),
            *b"HIVEWIRE\x01\x00\x02\x00\x00\x00\x00\x00\x02\x01\x00\x00\x00\x00\x00\x00"
        );
        assert_eq!(server(1, HelloVerdict::Full), *b"HIVEWIRE\x01\x00\x03\x00\x00\x00\x00\x00");
    }

    proptest! {
        #[test]
        fn greetings_come_back(version: u16, since: u64, role in 0_usize..3, verdict: u8) {
            let role = ROLES[role];
            let read = read_client(&client(version, role, since)).unwrap();
            prop_assert_eq!(read, Hello { version, role: Some(role), since });
            let mut bytes = server(version, HelloVerdict::Welcome);
            bytes[10] = verdict;
            let (v, said) = read_server(&bytes).unwrap();
            prop_assert_eq!((v, server(v, said)), (version, bytes));
        }

        #[test]
        fn anything_else_is_no_greeting(bytes: [u8; 24]) {
            prop_assert!(bytes.starts_with(&MAGIC) || read_client(&bytes).is_none());
        }
    }
}
