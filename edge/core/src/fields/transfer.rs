//! Transfer codings (RFC 9112, section 7), as far as adapters have to tell them apart.

use http::{HeaderMap, header};

use super::list;

const CODINGS: [&str; 6] = ["chunked", "compress", "deflate", "gzip", "x-compress", "x-gzip"];

/// Whether a response's `Transfer-Encoding` is one name that no coding has. It codes nothing, and the body ends with the connection
/// (section 6.3). Beside a length it is more likely an attempt to be read in two ways, and does not count.
pub fn names_no_coding(fields: &HeaderMap) -> bool {
    let mut codings = list::all(fields, header::TRANSFER_ENCODING.as_str());
    let (Some(coding), None) = (codings.next(), codings.next()) else { return false };
    !fields.contains_key(header::CONTENT_LENGTH)
        && !CODINGS.iter().any(|name| coding.eq_ignore_ascii_case(name))
        && coding.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_alone_is_none() {
        let is = |lines: &[(&'static str, &'static str)]| {
            let mut fields = HeaderMap::new();
            for &(name, value) in lines {
                fields.append(name, value.parse().unwrap());
            }
            names_no_coding(&fields)
        };
        assert!(is(&[("transfer-encoding", "odd")]));
        for coding in ["chunked", "GZIP", "x-gzip", "odd, chunked", "odd;q=1", "", "od d", "\"odd\""] {
            assert!(!is(&[("transfer-encoding", coding)]), "{coding}");
        }
        assert!(!is(&[("transfer-encoding", "odd"), ("content-length", "5")]));
        assert!(!is(&[("transfer-encoding", "odd"), ("transfer-encoding", "even")]));
        assert!(!is(&[]));
    }
}
