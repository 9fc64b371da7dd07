//! Keys whose value is one of a few words.

use super::word::shown;
use crate::json::Json;
use crate::read::{Node, Reader, Value, nearest, text_of};

/// Declares an enum that is read from words: `"word" => Variant`. The doc comments tell an editor what each word means.
macro_rules! choice {
    (
        $(#[doc = $about:literal])+
        enum $name:ident {
            $( $(#[doc = $doc:literal])+ $word:literal => $variant:ident, )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name {
            $( $(#[doc = $doc])+ $variant, )+
        }

        impl $name {
            const WORDS: &'static [(&'static str, $name)] = &[$( ($word, $name::$variant) ),+];
            const ABOUT: &'static [(&'static str, &'static str)] =
                &[$( ($word, concat!($($doc, "\n"),+)) ),+];
        }

        impl Value for $name {
            fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
                choose(node, reader, Self::WORDS)
            }

            fn schema() -> Json {
                choice_schema(Self::ABOUT)
            }
        }
    };
}

fn choose<T: Copy>(node: &Node<'_>, reader: &mut Reader<'_>, words: &[(&'static str, T)]) -> Option<T> {
    let list = words.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    let what = if words.len() == 1 { list.clone() } else { format!("one of {list}") };
    let text = text_of(node, reader, &what)?;
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Some(*value);
    }
    let message = format!("`{}` must be {what}, not \"{}\"", node.name, shown(text));
    let error = reader.error(&node.span, message);
    if let Some(meant) = nearest(text, words.iter().map(|(word, _)| *word)) {
        error.help(format!("did you mean \"{meant}\"?"));
    }
    None
}

fn choice_schema(words: &[(&str, &str)]) -> Json {
    let about: Vec<_> =
        words.iter().map(|(word, doc)| format!("- `{word}`: {}", crate::read::paragraphs(doc))).collect();
    Json::object([
        ("type", "string".into()),
        ("enum", Json::strings(words.iter().map(|(word, _)| *word))),
        ("description", about.join("\n").into()),
    ])
}

choice! {
    /// `origins.NAME.host`
    enum OriginHost {
        /// the host and port of the origin's own URL
        "origin" => Origin,
        /// what the client asked for; not possible on every platform
        "client" => Client,
    }
}

choice! {
    /// `limits.platform`
    enum Platform {
        /// what the runtime itself says
        "any" => Any,
        /// values of 1 MB, messages of 10 MiB, 30 s a request
        "akamai-functions" => AkamaiFunctions,
    }
}

choice! {
    /// `purge.auth`
    enum PurgeAuth {
        /// an HMAC-SHA-256 under the secret `LEVEE_PURGE_KEY`
        "hmac" => Hmac,
        /// the token of the secret `LEVEE_PURGE_TOKEN`
        "bearer" => Bearer,
    }
}

choice! {
    /// `credentials`
    enum Credentials {
        /// the request goes through whole, and its answer is shared only where RFC 9111, section 3.5 allows it
        "pass" => Pass,
        /// only `Authorization` counts (RFC 9111, section 3.5); cookies and tokens are fields like any other
        "authorization" => Authorization,
        /// they are removed: the content is the same for everyone
        "strip" => Strip,
        /// what `key.cookies` and `key.headers` name of them is part of the key, the others are removed
        "key" => Key,
    }
}

choice! {
    /// `set_cookie`
    enum SetCookie {
        /// such an answer is not stored
        "refuse" => Refuse,
        /// the field is removed, then the answer is stored
        "strip" => Strip,
        /// the answer is stored with the field, which everyone is then sent (RFC 9111, section 7.3)
        "store" => Store,
    }
}

choice! {
    /// `client_directives`
    enum ClientDirectives {
        /// a reload is not a purge: `Cache-Control` and `Pragma` of requests do not move the cache
        "ignore" => Ignore,
        /// they do, as RFC 9111, section 5.2.1 says
        "honour" => Honour,
    }
}

choice! {
    /// `rate_limit.by`
    enum RateLimitBy {
        /// the client's address
        "ip" => Ip,
    }
}
