//! What `wit/` says, as Rust traits that `HostState` implements.

wasmtime::component::bindgen!({
    path: "wit",
    world: "levee:component-host/spin",
    imports: { default: trappable },
    with: {
        "spin:key-value/key-value.store": crate::key_value::OpenStore,
        "spin:redis/redis.connection": crate::redis::Connection,
    },
});

pub(crate) use self::spin::key_value::key_value;
pub(crate) use self::spin::redis::redis;
pub(crate) use self::spin::variables::variables;
