//! Events in a file: a sequence of records.

use prost::{Message, Oneof};

/// The content of the first event of every file.
pub const VERSION: &str = "brain.Event:2";
/// Bytes of a record beside its event: the length and two checksums.
const FRAME: usize = size_of::<u64>() + 2 * size_of::<u32>();
/// Added to a checksum that was rotated by 15 bits.
const MASK: u32 = 0xa282_ead8;

/// `Event`.
#[derive(Clone, PartialEq, Message)]
pub struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    pub wall_time: f64,
    #[prost(int64, tag = "2")]
    pub step: i64,
    #[prost(oneof = "What", tags = "3, 5")]
    pub what: Option<What>,
}

/// The content of an event.
#[derive(Clone, PartialEq, Oneof)]
pub enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
}

/// `Summary`.
#[derive(Clone, PartialEq, Message)]
pub struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub value: Vec<Value>,
}

/// `Summary.Value`, of scalars only.
#[derive(Clone, PartialEq, Message)]
pub struct Value {
    #[prost(string, tag = "1")]
    pub tag: String,
    #[prost(float, tag = "2")]
    pub simple_value: f32,
}

/// The first event of a sequence, and what follows it.
pub fn first_event(bytes: &[u8]) -> Option<(Event, &[u8])> {
    let length = u64::from_le_bytes(*bytes.first_chunk()?);
    let whole = FRAME.checked_add(usize::try_from(length).ok()?)?;
    let (record, following) = bytes.split_at_checked(whole)?;
    let event = record.get(FRAME - size_of::<u32>()..whole - size_of::<u32>())?;
    (framed(event) == record).then(|| Some((Event::decode(event).ok()?, following)))?
}

pub fn framed(event: &[u8]) -> Vec<u8> {
    let length = (event.len() as u64).to_le_bytes();
    let mut record = length.to_vec();
    record.extend(masked(&length).to_le_bytes());
    record.extend(event);
    record.extend(masked(event).to_le_bytes());
    record
}

fn masked(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(MASK)
}

/// CRC-32C (Castagnoli), bit by bit: a run writes some hundred kilobytes.
fn crc32c(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0x82f6_3b78;
    let bit = |crc: u32, _| if crc & 1 == 1 { POLYNOMIAL ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(!0u32, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), bit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_rfc_3720() {
        for (bytes, sum) in [(&[0u8; 32], 0x8a91_36aa), (&[0xff; 32], 0x62a8_ab43)] {
            assert_eq!(crc32c(bytes), sum);
        }
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }
}
