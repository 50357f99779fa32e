//! A gzip file of one member or several, one after another, as `gzip` reads it.
//!
//! After a member comes the end of the file, a further member (`cat a.gz b.gz`, `pigz`, `bgzip` and log rotation write
//! such files), or zero bytes up to the end of the file (tapes pad with them). Anything else is garbage. Each member has a
//! checksum and a length of its own. Source: RFC 1952, 2.2; zero padding as `gzip -t` takes it.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// What a member begins with.
pub(super) const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Reads the members as one stream.
pub(super) struct Members<R> {
    state: State<R>,
    /// Where bytes after the last member begin in the file, if there are any that are not padding.
    garbage: Option<u64>,
}

enum State<R> {
    Within(Box<GzDecoder<Counted<R>>>),
    /// After the last member; holds the number of bytes consumed.
    Ended(u64),
}

impl<R: BufRead> Members<R> {
    /// `file` stands at the beginning of the first member.
    pub(super) fn new(file: Counted<R>) -> Self {
        Members { state: State::Within(Box::new(GzDecoder::new(file))), garbage: None }
    }

    /// Bytes of the file consumed so far.
    pub(super) fn consumed(&self) -> u64 {
        match &self.state {
            State::Within(decoder) => decoder.get_ref().consumed,
            State::Ended(consumed) => *consumed,
        }
    }

    /// Where garbage begins after the last member; known once the stream was read to its end.
    pub(super) fn garbage(&self) -> Option<u64> {
        self.garbage
    }

    /// Goes on to the next member; false if there is none.
    fn next_member(&mut self) -> io::Result<bool> {
        let State::Within(decoder) = &mut self.state else {
            return Ok(false);
        };
        let file = decoder.get_mut();
        let ended = file.consumed;
        // A file cut within these two bytes may have had another member: the member's reader reports that.
        let first = file.peek()?;
        if !first.is_empty() && GZIP_MAGIC.starts_with(first) {
            let rest = std::mem::replace(&mut self.state, State::Ended(ended));
            if let State::Within(decoder) = rest {
                self.state = State::Within(Box::new(GzDecoder::new(decoder.into_inner())));
            }
            return Ok(true);
        }
        self.garbage = (!file.only_zeros_follow()?).then_some(ended);
        self.state = State::Ended(ended);
        Ok(false)
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = match &mut self.state {
                // The decoder verifies the checksum when it is asked for a byte after the last one.
                State::Within(decoder) => decoder.read(buffer)?,
                State::Ended(_) => 0,
            };
            if count > 0 || buffer.is_empty() || !self.next_member()? {
                return Ok(count);
            }
        }
    }
}

/// A reader that counts the bytes consumed, for the offsets in messages, and can peek at the next two.
pub(super) struct Counted<R> {
    inner: R,
    pub(super) consumed: u64,
    /// Bytes that were peeked at and not yet consumed.
    ahead: Vec<u8>,
}

impl<R: BufRead> Counted<R> {
    pub(super) fn new(inner: R) -> Self {
        Counted { inner, consumed: 0, ahead: Vec::new() }
    }

    /// The next bytes, as many as [`GZIP_MAGIC`] has; fewer at the end.
    pub(super) fn peek(&mut self) -> io::Result<&[u8]> {
        let missing = GZIP_MAGIC.len().saturating_sub(self.ahead.len()) as u64;
        (&mut self.inner).take(missing).read_to_end(&mut self.ahead)?;
        Ok(&self.ahead)
    }

    /// Consumes the rest as long as it is zero; returns whether all of it was.
    fn only_zeros_follow(&mut self) -> io::Result<bool> {
        loop {
            let bytes = self.fill_buf()?;
            if bytes.is_empty() {
                return Ok(true);
            }
            if bytes.iter().any(|&byte| byte != 0) {
                return Ok(false);
            }
            let count = bytes.len();
            self.consume(count);
        }
    }
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ahead.is_empty() {
            let count = self.inner.read(buffer)?;
            self.consumed += count as u64;
            return Ok(count);
        }
        let count = self.ahead.as_slice().read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.ahead.is_empty() { self.inner.fill_buf() } else { Ok(&self.ahead) }
    }

    fn consume(&mut self, count: usize) {
        if self.ahead.is_empty() {
            self.inner.consume(count);
        } else {
            self.ahead.drain(..count.min(self.ahead.len()));
        }
        self.consumed += count as u64;
    }
}
