//! WebSockets through the edge.

use anyhow::{Context as _, Result};
use futures_util::{SinkExt as _, StreamExt as _};
use http::header::{CONNECTION, SEC_WEBSOCKET_KEY, UPGRADE};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::cx::Cx;
use crate::scripted::{Asked, Reply};
use crate::wait::within;

/// Says everything back until the client closes.
fn echo(mut asked: Asked) -> Reply {
    let accept = derive_accept_key(asked.field(SEC_WEBSOCKET_KEY.as_str()).as_bytes());
    tokio::spawn(async move {
        let Ok(upgraded) = hyper::upgrade::on(&mut asked.request).await else { return };
        let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
        while let Some(Ok(message)) = socket.next().await {
            if (message.is_text() || message.is_binary()) && socket.send(message).await.is_err() {
                return;
            }
        }
    });
    Reply::new("")
        .status(101)
        .field(CONNECTION.as_str(), "upgrade")
        .field(UPGRADE.as_str(), "websocket")
        .field("sec-websocket-accept", &accept)
}

pub(super) async fn a_websocket_passes_both_ways(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(echo)?;
    let url = format!("ws://{}{}/socket?room=1", edge.authority(), edge.prefix());
    let mut request = url.into_client_request()?;
    request.headers_mut().insert("cookie", "sid=1".parse()?);
    let stream = TcpStream::connect(edge.authority()).await?;
    let opened = within("the handshake", tokio_tungstenite::client_async(request, stream)).await?;
    let (mut socket, response) = opened.context("the handshake")?;
    assert_eq!(response.status(), 101);
    let seen = origin.last()?;
    assert_eq!((seen.target.as_str(), seen.field("cookie").as_str()), ("/socket?room=1", "sid=1"));
    let large = "x".repeat(100_000);
    for message in [Message::text("one"), Message::binary(vec![0u8, 255, 1]), Message::text(large)] {
        socket.send(message.clone()).await?;
        let echoed = within("the echo", socket.next()).await?.transpose()?;
        assert_eq!(echoed, Some(message));
    }
    let goodbye = CloseFrame { code: 4_000u16.into(), reason: Utf8Bytes::from_static("done") };
    socket.close(Some(goodbye)).await?;
    let closed = within("the other side to close", socket.next()).await?.transpose()?;
    let Some(Message::Close(Some(frame))) = closed else { anyhow::bail!("{closed:?} instead of a close") };
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (4_000, "done"));
    Ok(())
}
