//! Chunked bodies (RFC 9112, section 7.1), read for where they end and for what they must not hold.

use super::Fault;
use super::framing::KEEP;
use super::lines::Lines;

/// Most bytes of all chunk extensions of one body: nobody uses them, but a chunk of one byte could carry thousands.
const EXTENSIONS: usize = 4 << 10;

/// Most bytes of the trailer section, which is dropped.
const TRAILERS: usize = 8 << 10;

/// Where in a chunked body the bytes have come to.
#[derive(Debug, Default)]
pub(super) struct Chunked {
    at: At,
    /// Of the chunk, as its size says.
    left: u64,
    extensions: usize,
    lines: Lines,
    trailers: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// Before the first digit of a size.
    #[default]
    Start,
    Size,
    /// Spaces after the size; then an extension or the line's end.
    AfterSize,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    Trailers,
}

impl Chunked {
    /// Reads on. How many bytes belong to the body, and whether that was its end.
    ///
    /// # Errors
    /// The fault, and how many of `bytes` are well.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<(usize, bool), (usize, Fault)> {
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            match self.at {
                At::Data => {
                    let here = self.left.min((bytes.len() - at) as u64);
                    self.left -= here;
                    at += here as usize;
                    if self.left == 0 {
                        self.at = At::DataCr;
                    }
                    continue;
                }
                At::Trailers => {
                    let wrong = |(before, _)| (at + before, Fault::Trailer);
                    let (used, line) = self.lines.next(&bytes[at..], KEEP).map_err(wrong)?;
                    self.trailers += used;
                    if self.trailers > TRAILERS {
                        return Err((at, Fault::Trailer));
                    }
                    match line {
                        Some(line) if line.bytes.is_empty() => return Ok((at + used, true)),
                        Some(line) if !is_field(line.bytes) => return Err((at, Fault::Trailer)),
                        _ => at += used,
                    }
                    continue;
                }
                At::Start | At::Size => match (hex(byte), self.at, byte) {
                    (Some(digit), ..) => {
                        if self.left >> 60 != 0 {
                            return Err((at, Fault::ChunkSize));
                        }
                        self.left = self.left << 4 | u64::from(digit);
                        self.at = At::Size;
                    }
                    (None, At::Size, b' ' | b'\t') => self.at = At::AfterSize,
                    (None, At::Size, b';') => self.at = At::Extension,
                    (None, At::Size, b'\r') => self.at = At::SizeLf,
                    _ => return Err((at, Fault::ChunkSize)),
                },
                At::AfterSize => match byte {
                    b' ' | b'\t' => self.extension(at)?,
                    b';' => self.at = At::Extension,
                    b'\r' => self.at = At::SizeLf,
                    _ => return Err((at, Fault::ChunkSize)),
                },
                At::Extension => match byte {
                    b'\r' => self.at = At::SizeLf,
                    b'\t' | b' '..=b'~' | 0x80.. => self.extension(at)?,
                    _ => return Err((at, Fault::ChunkExtension)),
                },
                At::SizeLf if byte != b'\n' => return Err((at, Fault::ChunkSize)),
                At::SizeLf => self.at = if self.left == 0 { At::Trailers } else { At::Data },
                At::DataCr if byte != b'\r' => return Err((at, Fault::ChunkEnd)),
                At::DataCr => self.at = At::DataLf,
                At::DataLf if byte != b'\n' => return Err((at, Fault::ChunkEnd)),
                At::DataLf => self.at = At::Start,
            }
            at += 1;
        }
        Ok((at, false))
    }

    fn extension(&mut self, at: usize) -> Result<(), (usize, Fault)> {
        self.extensions += 1;
        if self.extensions > EXTENSIONS { Err((at, Fault::ChunkExtension)) } else { Ok(()) }
    }
}

fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// A name, which is a token (RFC 9110, section 5.6.2), and a colon.
fn is_field(line: &[u8]) -> bool {
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let name = line.iter().take_while(|byte| token(byte)).count();
    name > 0 && line.get(name) == Some(&b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Result<(usize, bool), Fault> {
        let (mut chunked, mut total) = (Chunked::default(), 0);
        for piece in pieces {
            let (used, ended) = chunked.read(piece).map_err(|(_, fault)| fault)?;
            total += used;
            if ended {
                return Ok((total, true));
            }
        }
        Ok((total, false))
    }

    #[test]
    fn a_body_ends_where_it_ends_at_every_split() {
        for body in [
            &b"0\r\n\r\n"[..],
            b"5\r\nhello\r\n0\r\n\r\n",
            b"05;a=b;c=\"d\"\r\nhello\r\nA \t;x\r\n0123456789\r\n000\r\nx-sum: 1\r\ny:\r\n\r\n",
        ] {
            let text = [body, b"GET / HTTP/1.1\r\n"].concat();
            for cut in 0..=text.len() {
                assert_eq!(read(&[&text[..cut], &text[cut..]]), Ok((body.len(), true)), "{cut}");
            }
            assert_eq!(read(&[&body[..body.len() - 1]]), Ok((body.len() - 1, false)));
        }
    }

    #[test]
    fn malformed_chunks_are_found_at_every_split() {
        for (text, fault) in [
            (&b"x\r\n"[..], Fault::ChunkSize),
            (b"\r\n", Fault::ChunkSize),
            (b"-1\r\n", Fault::ChunkSize),
            (b"0x5\r\nhello\r\n", Fault::ChunkSize),
            (b"5 5\r\nhello\r\n", Fault::ChunkSize),
            (b"5\nhello\r\n", Fault::ChunkSize),
            (b"5\r\r\nhello\r\n", Fault::ChunkSize),
            (b"10000000000000000\r\n", Fault::ChunkSize),
            (b"5;a\nb\r\nhello\r\n", Fault::ChunkExtension),
            (b"5;a\0\r\nhello\r\n", Fault::ChunkExtension),
            (b"5\r\nhello!\r\n", Fault::ChunkEnd),
            (b"5\r\nhello\n", Fault::ChunkEnd),
            (b"0\r\nno field\r\n\r\n", Fault::Trailer),
            (b"0\r\nx : 1\r\n\r\n", Fault::Trailer),
            (b"0\r\nx: 1\n\r\n", Fault::Trailer),
            (b"0\r\n: 1\r\n\r\n", Fault::Trailer),
            (b"0\r\n x: 1\r\n\r\n", Fault::Trailer),
        ] {
            for cut in 0..=text.len() {
                assert_eq!(read(&[&text[..cut], &text[cut..]]), Err(fault), "{text:?} {cut}");
            }
        }
    }

    #[test]
    fn extensions_and_trailers_have_a_most() {
        let abuse = b"1;aaaaaaaaaaaaaaaa\r\nx\r\n".repeat(EXTENSIONS / 15);
        assert_eq!(read(&[&abuse]), Err(Fault::ChunkExtension));
        let abuse = [&b"0\r\n"[..], &b"x: 1\r\n".repeat(TRAILERS / 5)].concat();
        assert_eq!(read(&[&abuse]), Err(Fault::Trailer));
    }
}
