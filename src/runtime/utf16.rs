//! Text of two bytes a letter, as spreadsheets save it, made the text that everything else is.

use std::io::{self, BufRead, BufReader, Cursor, Read};

/// Bytes asked of a source at once.
const BUFFER: usize = 1 << 16;

/// The bytes of a file: as they are, or as UTF-8 where they begin as UTF-16 does.
pub(super) fn as_text(mut bytes: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    let mut head = Vec::new();
    bytes.by_ref().take(2).read_to_end(&mut head)?;
    let is_big = match head[..] {
        [0xfe, 0xff] => true,
        [0xff, 0xfe] => false,
        _ => return Ok(Box::new(Cursor::new(head).chain(bytes))),
    };
    let from = BufReader::with_capacity(BUFFER, bytes);
    Ok(Box::new(WideText { from, is_big, high: None, text: Vec::new(), done: 0 }))
}

/// Text of two bytes a letter.
struct WideText {
    from: BufReader<Box<dyn Read + Send>>,
    is_big: bool,
    /// The first half of a letter of four bytes.
    high: Option<u16>,
    text: Vec<u8>,
    /// Bytes of the text that were passed on.
    done: usize,
}

impl WideText {
    fn advance(&mut self) -> io::Result<()> {
        self.text.clear();
        self.done = 0;
        let is_big = self.is_big;
        let unit = |pair: [u8; 2]| if is_big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) };
        while self.text.is_empty() {
            let bytes = self.from.fill_buf()?;
            let whole = bytes.len() / 2 * 2;
            if bytes.is_empty() {
                return Ok(());
            }
            let units: Vec<u16> = if whole == 0 {
                let mut pair = [0; 2];
                self.from.read_exact(&mut pair)?;
                vec![unit(pair)]
            } else {
                let units = bytes[..whole].chunks_exact(2).map(|b| unit([b[0], b[1]])).collect();
                self.from.consume(whole);
                units
            };
            let mut units: Vec<u16> = self.high.take().into_iter().chain(units).collect();
            self.high = units.pop_if(|last| (0xd800..0xdc00).contains(last));
            let letters = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
            self.text = letters.collect::<String>().into_bytes();
        }
        Ok(())
    }
}

impl Read for WideText {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.done == self.text.len() {
            self.advance()?;
        }
        let n = into.len().min(self.text.len() - self.done);
        into[..n].copy_from_slice(&self.text[self.done..self.done + n]);
        self.done += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives few bytes at a time, so that letters are cut.
    struct Slow(Cursor<Vec<u8>>, usize);

    impl Read for Slow {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let n = into.len().min(self.1);
            self.0.read(&mut into[..n])
        }
    }

    #[test]
    fn text_of_two_bytes_a_letter_is_text_whichever_stands_first_and_wherever_it_is_cut() {
        let text = "time,close\n2024-01-01,42\nß,€,𝄞𝄞\n".repeat(9);
        for step in [1, 2, 3, 7, 1 << 20] {
            for order in [u16::to_le_bytes, u16::to_be_bytes] {
                let marked = format!("\u{feff}{text}");
                let bytes: Vec<u8> = marked.encode_utf16().flat_map(order).collect();
                let mut read = String::new();
                as_text(Box::new(Slow(Cursor::new(bytes), step))).unwrap().read_to_string(&mut read).unwrap();
                assert_eq!(read, text, "{step}");
            }
            let mut read = String::new();
            let plain = Slow(Cursor::new(text.clone().into_bytes()), step);
            as_text(Box::new(plain)).unwrap().read_to_string(&mut read).unwrap();
            assert_eq!(read, text);
        }
        for short in ["", "x", "xy"] {
            let mut read = String::new();
            let bytes = Cursor::new(short.as_bytes().to_vec());
            as_text(Box::new(bytes)).unwrap().read_to_string(&mut read).unwrap();
            assert_eq!(read, short);
        }
    }
}
