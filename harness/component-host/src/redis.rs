//! `spin:redis`: connections of a component to a Redis that it may reach.

use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands as _, Client, ErrorKind, IntoConnectionInfo as _, RedisError, Value};
use wasmtime::Result;
use wasmtime::component::{Accessor, HasSelf, Resource};

use crate::bindings::redis as wit;
use crate::state::HostState;

/// A connection that a component has opened.
#[derive(Clone)]
#[expect(unreachable_pub, reason = "what bindgen makes is public")]
pub struct Connection(MultiplexedConnection);

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

type Answer<T> = Result<Result<T, wit::Error>>;

impl wit::Host for HostState {}

impl wit::HostConnection for HostState {
    fn drop(&mut self, connection: Resource<Connection>) -> Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

impl<T: Send> wit::HostConnectionWithStore<T> for HasSelf<HostState> {
    async fn open(host: &Accessor<T, Self>, address: String) -> Answer<Resource<Connection>> {
        let app = host.with(|mut host| host.get().app.clone());
        let Some((scheme, host_name, port)) = parts(&address) else {
            return Ok(Err(wit::Error::InvalidAddress));
        };
        if !app.manifest.allowed_hosts.allow(&scheme, &host_name, Some(port)) {
            tracing::warn!(host = host_name, port, "Redis is not among the allowed outbound hosts");
            return Ok(Err(wit::Error::InvalidAddress));
        }
        let address = app.redis.as_deref().unwrap_or(&address);
        let Ok(client) = Client::open(address) else { return Ok(Err(wit::Error::InvalidAddress)) };
        match client.get_multiplexed_async_connection().await {
            Ok(connection) => {
                let connection = host.with(|mut host| host.get().table.push(Connection(connection)))?;
                Ok(Ok(connection))
            }
            Err(error) => Ok(Err(other(&error))),
        }
    }

    async fn publish(
        host: &Accessor<T, Self>,
        connection: Resource<Connection>,
        channel: String,
        payload: Vec<u8>,
    ) -> Answer<()> {
        let mut redis = opened(host, &connection)?;
        Ok(redis.publish::<_, _, ()>(channel, payload).await.map_err(|error| other(&error)))
    }

    async fn get(
        host: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
    ) -> Answer<Option<Vec<u8>>> {
        let mut redis = opened(host, &connection)?;
        Ok(redis.get(key).await.map_err(|error| other(&error)))
    }

    async fn set(
        host: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
        value: Vec<u8>,
    ) -> Answer<()> {
        let mut redis = opened(host, &connection)?;
        Ok(redis.set::<_, _, ()>(key, value).await.map_err(|error| other(&error)))
    }

    async fn incr(host: &Accessor<T, Self>, connection: Resource<Connection>, key: String) -> Answer<i64> {
        let mut redis = opened(host, &connection)?;
        Ok(redis.incr(key, 1).await.map_err(|error| other(&error)))
    }

    async fn del(
        host: &Accessor<T, Self>,
        connection: Resource<Connection>,
        keys: Vec<String>,
    ) -> Answer<u32> {
        let mut redis = opened(host, &connection)?;
        Ok(redis.del(keys).await.map_err(|error| other(&error)))
    }

    async fn sadd(
        host: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> Answer<u32> {
        let mut redis = opened(host, &connection)?;
        Ok(redis.sadd(key, values).await.map_err(|error| type_error(&error)))
    }

    async fn smembers(
        host: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
    ) -> Answer<Vec<String>> {
        let mut redis = opened(host, &connection)?;
        Ok(redis.smembers(key).await.map_err(|error| other(&error)))
    }

    async fn srem(
        host: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> Answer<u32> {
        let mut redis = opened(host, &connection)?;
        Ok(redis.srem(key, values).await.map_err(|error| other(&error)))
    }

    async fn execute(
        host: &Accessor<T, Self>,
        connection: Resource<Connection>,
        command: String,
        arguments: Vec<wit::RedisParameter>,
    ) -> Answer<Vec<wit::RedisResult>> {
        let mut redis = opened(host, &connection)?;
        let mut command = redis::cmd(&command);
        for argument in arguments {
            match argument {
                wit::RedisParameter::Int64(number) => command.arg(number),
                wit::RedisParameter::Binary(bytes) => command.arg(bytes),
            };
        }
        let answer = command.query_async::<Value>(&mut redis).await;
        Ok(answer.map_err(|error| other(&error)).and_then(|value| {
            let mut results = Vec::new();
            flatten(value, &mut results)?;
            Ok(results)
        }))
    }
}

fn opened<T>(
    host: &Accessor<T, HasSelf<HostState>>,
    connection: &Resource<Connection>,
) -> Result<MultiplexedConnection> {
    host.with(|mut host| Ok(host.get().table.get(connection)?.0.clone()))
}

/// Scheme, host and port of an address; `None` for one that is not a Redis on the network.
fn parts(address: &str) -> Option<(String, String, u16)> {
    let (scheme, _) = address.split_once("://")?;
    let info = address.into_connection_info().ok()?;
    match info.addr() {
        redis::ConnectionAddr::Tcp(host, port) | redis::ConnectionAddr::TcpTls { host, port, .. } => {
            Some((scheme.to_owned(), host.clone(), *port))
        }
        _ => None,
    }
}

/// Spin hands an array's items over one after the other, at whatever depth they stand.
fn flatten(value: Value, into: &mut Vec<wit::RedisResult>) -> Result<(), wit::Error> {
    match value {
        Value::Nil => into.push(wit::RedisResult::Nil),
        Value::Int(number) => into.push(wit::RedisResult::Int64(number)),
        Value::BulkString(bytes) => into.push(wit::RedisResult::Binary(bytes)),
        Value::SimpleString(text) => into.push(wit::RedisResult::Status(text)),
        Value::Okay => into.push(wit::RedisResult::Status(String::from("OK"))),
        Value::Array(values) => {
            for value in values {
                flatten(value, into)?;
            }
        }
        other => {
            return Err(wit::Error::Other(format!("an answer of this kind has no form here: {other:?}")));
        }
    }
    Ok(())
}

fn other(error: &RedisError) -> wit::Error {
    wit::Error::Other(error.to_string())
}

fn type_error(error: &RedisError) -> wit::Error {
    if error.kind() == ErrorKind::UnexpectedReturnType { wit::Error::TypeError } else { other(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let parts =
            |address: &str| parts(address).map(|(scheme, host, port)| format!("{scheme} {host} {port}"));
        assert_eq!(parts("redis://127.0.0.1:7000/2").as_deref(), Some("redis 127.0.0.1 7000"));
        assert_eq!(parts("redis://:secret@cache.example").as_deref(), Some("redis cache.example 6379"));
        assert_eq!(parts("unix:///tmp/redis.sock"), None);
        assert_eq!(parts("cache.example"), None);
    }
}
