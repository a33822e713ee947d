//! The chunked coding (RFC 9112, section 7.1), undone.

/// How many bytes may come that are no part of the body: extensions, trailers, and zeros in front
/// of a size.
const MAX_EXTRA: usize = 16 << 10;

/// Where in the coding the next byte stands.
#[derive(Debug)]
pub(super) struct Chunked {
    state: State,
    /// How much of [`MAX_EXTRA`] is left.
    extra: usize,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// In front of a size: at least one digit has to come.
    Start,
    Size(u64),
    /// Behind a size.
    Space(u64),
    Extension(u64),
    SizeLf(u64),
    Data(u64),
    DataCr,
    DataLf,
    TrailerStart,
    Trailer,
    TrailerLf,
    EndLf,
    End,
}

impl Chunked {
    pub(super) const fn new() -> Self {
        Self { state: State::Start, extra: MAX_EXTRA }
    }

    pub(super) fn has_ended(&self) -> bool {
        matches!(self.state, State::End)
    }

    /// Takes the next piece of the body off the front of `input`, and what is in front of it.
    /// `None` if there is none in it, or if the body has ended.
    pub(super) fn next<'i>(
        &mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<&'i [u8]>, MalformedChunk> {
        while let Some((&byte, rest)) = input.split_first() {
            if let State::Data(left) = self.state {
                let here = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                let (piece, rest) = input.split_at(here);
                *input = rest;
                self.state = match left - here as u64 {
                    0 => State::DataCr,
                    left => State::Data(left),
                };
                return Ok(Some(piece));
            }
            if self.has_ended() {
                break;
            }
            *input = rest;
            self.state = self.after(byte)?;
        }
        Ok(None)
    }

    fn after(&mut self, byte: u8) -> Result<State, MalformedChunk> {
        Ok(match (self.state, byte) {
            (State::Start, _) => State::Size(digit(byte)?),
            (State::Size(size), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                if size == 0 {
                    self.spend()?;
                }
                let size = size.checked_mul(16).ok_or(MalformedChunk)?;
                State::Size(size | digit(byte)?)
            }
            (State::Size(size) | State::Space(size) | State::Extension(size), b'\r') => {
                State::SizeLf(size)
            }
            (State::Size(size) | State::Space(size), b';') => {
                self.spend()?;
                State::Extension(size)
            }
            (State::Size(size) | State::Space(size), b' ' | b'\t') => {
                self.spend()?;
                State::Space(size)
            }
            (State::Extension(size), byte) if byte != b'\n' => {
                self.spend()?;
                State::Extension(size)
            }
            (State::SizeLf(0) | State::TrailerLf, b'\n') => State::TrailerStart,
            (State::SizeLf(size), b'\n') => State::Data(size),
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::Start,
            (State::TrailerStart, b'\r') => State::EndLf,
            (State::Trailer, b'\r') => State::TrailerLf,
            // Trailers say nothing that is wanted, and are dropped.
            (State::TrailerStart | State::Trailer, byte) if byte != b'\n' => {
                self.spend()?;
                State::Trailer
            }
            (State::EndLf, b'\n') => State::End,
            _ => return Err(MalformedChunk),
        })
    }

    fn spend(&mut self) -> Result<(), MalformedChunk> {
        self.extra = self.extra.checked_sub(1).ok_or(MalformedChunk)?;
        Ok(())
    }
}

fn digit(byte: u8) -> Result<u64, MalformedChunk> {
    char::from(byte).to_digit(16).map(u64::from).ok_or(MalformedChunk)
}

/// What came is not chunked, or has too much in it that is no part of the body.
#[derive(Debug)]
pub(super) struct MalformedChunk;
