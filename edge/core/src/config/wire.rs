//! The compiled form as bytes (`levee.bin`): four bytes of magic and version, then postcard.

use super::Config;

const MAGIC: [u8; 3] = *b"LVC";
/// Raised whenever [`Config`] changes its shape: an edge refuses a form it was not built for.
const VERSION: u8 = 5;

/// Why a compiled configuration was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("not a compiled Levee configuration: compile levee.toml with `cargo xtask build`")]
    NotConfig,
    #[error("compiled for configuration format {found}, this edge reads {VERSION}: compile levee.toml again")]
    Version { found: u8 },
    #[error("the compiled configuration is damaged: compile levee.toml again")]
    Damaged,
}

impl Config {
    /// The compiled form, to be bundled beside the wasm.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.push(VERSION);
        // Encoding into a growing vector cannot fail: every type here is plain data of known length.
        match postcard::to_extend(self, bytes) {
            Ok(bytes) => bytes,
            Err(_) => unreachable!("plain data always encodes"),
        }
    }

    /// Reads what [`Config::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let Some((magic, [version, rest @ ..])) = bytes.split_first_chunk::<3>() else {
            return Err(DecodeError::NotConfig);
        };
        if *magic != MAGIC {
            return Err(DecodeError::NotConfig);
        }
        if *version != VERSION {
            return Err(DecodeError::Version { found: *version });
        }
        let config: Config = postcard::from_bytes(rest).map_err(|_| DecodeError::Damaged)?;
        if config.origins.is_empty() {
            return Err(DecodeError::Damaged);
        }
        Ok(config)
    }
}
