//! How much a host runs at a time: Spin's limits, from the environment variables that change them in Spin.

use wasmtime::{Engine, InstanceAllocationStrategy, Memory, MemoryType, PoolingAllocationConfig, Store};

use crate::Error;

/// Whether memory comes from a pool: `1` or `0`; else it does where there are enough addresses.
const POOLING: &str = "SPIN_WASMTIME_POOLING";
/// Sets those below that are not set themselves.
const INSTANCES: &str = "SPIN_MAX_INSTANCE_COUNT";
/// Stacks of fibers. Past it instances trap, with all their requests.
const STACKS: &str = "SPIN_WASMTIME_TOTAL_STACKS";

const MB: u64 = 1 << 20;

/// The addresses that a pool takes, in bits: six gigabytes for each of a thousand memories.
const ADDRESSES: u32 = 42;

/// Spin's pool, or none where it would not have one; then nothing bounds instances and fibers.
///
/// # Errors
/// [`Error::Limit`] for a variable that is no number.
pub(crate) fn allocation() -> Result<InstanceAllocationStrategy, Error> {
    let is_pooled = match std::env::var(POOLING).as_deref() {
        Ok("1") => true,
        Ok("0") => false,
        Ok(value) => return Err(wrong(POOLING, value)),
        Err(_) => has_addresses(),
    };
    if !is_pooled {
        tracing::warn!("there is no pool of instances: their number and that of fibers is not limited");
        return Ok(InstanceAllocationStrategy::OnDemand);
    }
    let instances: u32 = number(INSTANCES, 1_000)?;
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(number("SPIN_WASMTIME_INSTANCE_COUNT", instances)?)
        .total_memories(number("SPIN_WASMTIME_TOTAL_MEMORIES", instances)?)
        .total_tables(number("SPIN_WASMTIME_TOTAL_TABLES", instances.saturating_mul(2))?)
        .total_stacks(number(STACKS, instances)?)
        .total_core_instances(number("SPIN_WASMTIME_TOTAL_CORE_INSTANCES", instances.saturating_mul(4))?)
        .table_elements(number("SPIN_WASMTIME_INSTANCE_TABLE_ELEMENTS", 100_000)?)
        .max_component_instance_size(number("SPIN_WASMTIME_INSTANCE_SIZE", 10 * MB as usize)?)
        .max_core_instance_size(number("SPIN_WASMTIME_CORE_INSTANCE_SIZE", 10 * MB as usize)?)
        .max_core_instances_per_component(number("SPIN_WASMTIME_CORE_INSTANCE_COUNT", 200)?)
        .max_tables_per_component(number("SPIN_WASMTIME_INSTANCE_TABLES", 64)?)
        .max_memories_per_component(number("SPIN_WASMTIME_INSTANCE_MEMORIES", 32)?)
        .max_tables_per_module(number("SPIN_WASMTIME_MAX_TABLES_PER_MODULE", 2)?)
        .max_memories_per_module(number("SPIN_WASMTIME_MAX_MEMORIES_PER_MODULE", 2)?)
        .max_memory_size(4 << 30)
        .linear_memory_keep_resident(number("SPIN_WASMTIME_LINEAR_MEMORY_KEEP_RESIDENT", 2 * MB as usize)?)
        .table_keep_resident(number("SPIN_WASMTIME_TABLE_KEEP_RESIDENT", MB as usize / 2)?);
    Ok(InstanceAllocationStrategy::Pooling(pool))
}

fn number<T: std::str::FromStr>(name: &str, default: T) -> Result<T, Error> {
    match std::env::var(name) {
        Ok(value) => value.parse().map_err(|_| wrong(name, &value)),
        Err(_) => Ok(default),
    }
}

fn wrong(name: &str, value: &str) -> Error {
    Error::Limit { name: name.to_owned(), value: value.to_owned() }
}

/// Whether the system gives that many addresses to one process; some do not.
fn has_addresses() -> bool {
    let mut config = wasmtime::Config::new();
    config.wasm_memory64(true);
    config.memory_reservation(1 << ADDRESSES);
    let Ok(engine) = Engine::new(&config) else { return false };
    // In pages of 64 KiB.
    let memory = MemoryType::new64(0, Some(1 << (ADDRESSES - 16)));
    Memory::new(&mut Store::new(&engine, ()), memory).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_is_no_number_is_named() {
        assert_eq!(number("LEVEE_TEST_NO_SUCH_VARIABLE", 7).expect("the default"), 7);
        // One that each test has, and that is no number.
        let error = number::<u32>("PATH", 7).expect_err("no number").to_string();
        assert!(error.contains("PATH"), "{error}");
    }
}
