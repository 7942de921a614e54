//! Bytes of numbers and text: what sections and sink frames are made of.
//!
//! One value has one encoding (longer forms of a varint are refused), so equal states are equal bytes.

use thiserror::Error;

/// Why bytes could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CodecError {
    /// The bytes end inside a value.
    #[error("cut short")]
    CutShort,
    /// A number has more bits than its type, or a longer form than it needs.
    #[error("number out of range")]
    Number,
    /// Text is not UTF-8.
    #[error("text is not UTF-8")]
    Text,
    /// More entries announced than the bytes can hold.
    #[error("count beyond the data")]
    Count,
    /// A value that its field cannot take.
    #[error("value out of range")]
    Value,
    /// Bytes are left over after the last value.
    #[error("trailing bytes")]
    Trailing,
}

/// Writes values one after the other.
#[derive(Debug, Clone, Default)]
pub struct Encoder {
    bytes: Vec<u8>,
}

impl Encoder {
    /// An empty encoder.
    pub fn new() -> Self {
        Self::default()
    }

    /// The bytes written.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// Number of bytes written so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// One byte.
    pub fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    /// A truth value, one byte.
    pub fn bool(&mut self, value: bool) {
        self.u8(u8::from(value));
    }

    /// A LEB128 varint.
    pub fn u64(&mut self, value: u64) {
        self.u128(u128::from(value));
    }

    /// A LEB128 varint.
    pub fn u128(&mut self, mut value: u128) {
        while value > 0x7f {
            self.bytes.push(low_bits(value) | 0x80);
            value >>= 7;
        }
        self.bytes.push(low_bits(value));
    }

    /// A zigzag varint.
    pub fn i64(&mut self, value: i64) {
        self.i128(i128::from(value));
    }

    /// A zigzag varint.
    pub fn i128(&mut self, value: i128) {
        self.u128(((value << 1) ^ (value >> 127)).cast_unsigned());
    }

    /// Two bytes, little-endian.
    pub fn fixed_u16(&mut self, value: u16) {
        self.raw(&value.to_le_bytes());
    }

    /// Four bytes, little-endian.
    pub fn fixed_u32(&mut self, value: u32) {
        self.raw(&value.to_le_bytes());
    }

    /// Eight bytes, little-endian.
    pub fn fixed_u64(&mut self, value: u64) {
        self.raw(&value.to_le_bytes());
    }

    /// Sixteen bytes, little-endian: for hashes, which no varint makes shorter.
    pub fn fixed_u128(&mut self, value: u128) {
        self.raw(&value.to_le_bytes());
    }

    /// The number of entries that follow, for [`Decoder::count`].
    pub fn count(&mut self, count: usize) {
        self.u64(count as u64);
    }

    /// Bytes after their length.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.raw(bytes);
    }

    /// Text after its length in bytes.
    pub fn str(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Bytes without a length.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether a value is there, then the value.
    pub fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.bool(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the seven low bits are what is wanted")]
fn low_bits(value: u128) -> u8 {
    value as u8 & 0x7f
}

/// Reads values back. Never panics; allocates nothing itself.
#[derive(Debug, Clone)]
pub struct Decoder<'a> {
    bytes: &'a [u8],
}

impl<'a> Decoder<'a> {
    /// Reads from the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Decoder { bytes }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`CodecError::Trailing`] when bytes are left over.
    pub fn finish(self) -> Result<(), CodecError> {
        if self.bytes.is_empty() { Ok(()) } else { Err(CodecError::Trailing) }
    }

    /// Number of bytes not read yet.
    pub fn remaining(&self) -> usize {
        self.bytes.len()
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, CodecError> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// A truth value; any byte but 0 and 1 is refused.
    pub fn bool(&mut self) -> Result<bool, CodecError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(CodecError::Value),
        }
    }

    /// A LEB128 varint of at most 64 bits.
    pub fn u64(&mut self) -> Result<u64, CodecError> {
        u64::try_from(self.u128()?).map_err(|_| CodecError::Number)
    }

    /// A LEB128 varint of at most 32 bits.
    pub fn u32(&mut self) -> Result<u32, CodecError> {
        u32::try_from(self.u128()?).map_err(|_| CodecError::Number)
    }

    /// A LEB128 varint of at most 128 bits.
    pub fn u128(&mut self) -> Result<u128, CodecError> {
        let mut value = 0_u128;
        for shift in (0..128).step_by(7) {
            let byte = self.u8()?;
            let bits = u128::from(byte & 0x7f);
            let placed = bits << shift;
            let is_padding = byte == 0 && shift > 0;
            if placed >> shift != bits || is_padding {
                return Err(CodecError::Number);
            }
            value |= placed;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(CodecError::Number)
    }

    /// A zigzag varint of at most 32 bits.
    pub fn i32(&mut self) -> Result<i32, CodecError> {
        i32::try_from(self.i128()?).map_err(|_| CodecError::Number)
    }

    /// A zigzag varint of at most 64 bits.
    pub fn i64(&mut self) -> Result<i64, CodecError> {
        i64::try_from(self.i128()?).map_err(|_| CodecError::Number)
    }

    /// A zigzag varint of at most 128 bits.
    pub fn i128(&mut self) -> Result<i128, CodecError> {
        let value = self.u128()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// Two bytes, little-endian.
    pub fn fixed_u16(&mut self) -> Result<u16, CodecError> {
        self.array().map(u16::from_le_bytes)
    }

    /// Four bytes, little-endian.
    pub fn fixed_u32(&mut self) -> Result<u32, CodecError> {
        self.array().map(u32::from_le_bytes)
    }

    /// Eight bytes, little-endian.
    pub fn fixed_u64(&mut self) -> Result<u64, CodecError> {
        self.array().map(u64::from_le_bytes)
    }

    /// Sixteen bytes, little-endian.
    pub fn fixed_u128(&mut self) -> Result<u128, CodecError> {
        self.array().map(u128::from_le_bytes)
    }

    /// A number of entries, each of at least `entry_bytes` bytes: small enough to allocate for, however the bytes
    /// were damaged.
    pub fn count(&mut self, entry_bytes: usize) -> Result<usize, CodecError> {
        let count = usize::try_from(self.u64()?).map_err(|_| CodecError::Count)?;
        match count.checked_mul(entry_bytes.max(1)) {
            Some(needed) if needed <= self.remaining() => Ok(count),
            _ => Err(CodecError::Count),
        }
    }

    /// Bytes after their length.
    pub fn bytes(&mut self) -> Result<&'a [u8], CodecError> {
        let length = usize::try_from(self.u64()?).map_err(|_| CodecError::CutShort)?;
        self.raw(length)
    }

    /// Text after its length in bytes.
    pub fn str(&mut self) -> Result<&'a str, CodecError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| CodecError::Text)
    }

    /// `length` bytes.
    pub fn raw(&mut self, length: usize) -> Result<&'a [u8], CodecError> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or(CodecError::CutShort)?;
        self.bytes = rest;
        Ok(taken)
    }

    /// Whether a value is there, then the value.
    pub fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, CodecError>,
    ) -> Result<Option<T>, CodecError> {
        if self.bool()? { read(self).map(Some) } else { Ok(None) }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let (taken, rest) = self.bytes.split_first_chunk::<N>().ok_or(CodecError::CutShort)?;
        self.bytes = rest;
        Ok(*taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encode(write: impl FnOnce(&mut Encoder)) -> Vec<u8> {
        let mut encoder = Encoder::new();
        write(&mut encoder);
        encoder.finish()
    }

    proptest! {
        #[test]
        fn values_come_back_and_every_truncation_is_refused(
            small: u64, large: u128, signed: i64, wide: i128, hash: u128, text in ".{0,20}",
            bytes in proptest::collection::vec(any::<u8>(), 0..20), maybe: Option<u64>,
        ) {
            let encoded = encode(|e| {
                e.u64(small);
                e.u128(large);
                e.i64(signed);
                e.i128(wide);
                e.fixed_u128(hash);
                e.str(&text);
                e.bytes(&bytes);
                e.option(maybe, Encoder::u64);
            });
            let read = |bytes: &[u8]| -> Result<_, CodecError> {
                let mut d = Decoder::new(bytes);
                let numbers = (d.u64()?, d.u128()?, d.i64()?, d.i128()?, d.fixed_u128()?);
                let rest = (d.str()?.to_owned(), d.bytes()?.to_vec(), d.option(Decoder::u64)?);
                d.finish()?;
                Ok((numbers, rest))
            };
            let expected = ((small, large, signed, wide, hash), (text, bytes, maybe));
            prop_assert_eq!(read(&encoded), Ok(expected));
            for length in 0..encoded.len() {
                prop_assert!(read(&encoded[..length]).is_err());
            }
            let longer = [&encoded[..], &[0]].concat();
            prop_assert_eq!(read(&longer), Err(CodecError::Trailing));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic_and_in_one_form(bytes in proptest::collection::vec(any::<u8>(), 0..24)) {
            let mut decoder = Decoder::new(&bytes);
            if let Ok(value) = decoder.u128() {
                let taken = bytes.len() - decoder.remaining();
                prop_assert_eq!(encode(|e| e.u128(value)), &bytes[..taken]);
            }
            let _ = Decoder::new(&bytes).i128();
            let _ = Decoder::new(&bytes).str();
            if let Ok(count) = Decoder::new(&bytes).count(4) {
                prop_assert!(count * 4 <= bytes.len());
            }
        }
    }

    #[test]
    fn extremes_come_back_and_overflows_do_not() {
        for value in [i128::MIN, -1, 0, 1, i128::MAX] {
            assert_eq!(Decoder::new(&encode(|e| e.i128(value))).i128(), Ok(value));
        }
        assert_eq!(encode(|e| e.i64(-1)), [1]);
        assert_eq!(Decoder::new(&encode(|e| e.u128(u128::MAX))).u128(), Ok(u128::MAX));
        assert_eq!(Decoder::new(&encode(|e| e.u128(1 << 64))).u64(), Err(CodecError::Number));
        assert_eq!(Decoder::new(&[0xff; 30]).u128(), Err(CodecError::Number));
        assert_eq!(Decoder::new(&[0x80, 0]).u64(), Err(CodecError::Number), "a longer form than needed");
        assert_eq!(Decoder::new(&encode(|e| e.u64(u64::MAX))).bytes(), Err(CodecError::CutShort));
        assert_eq!(Decoder::new(&encode(|e| e.u64(u64::MAX))).count(16), Err(CodecError::Count));
        assert_eq!(Decoder::new(&[2]).bool(), Err(CodecError::Value));
    }
}
