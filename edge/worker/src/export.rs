//! The macros of a user's program.

/// The configuration compiled from a `levee.toml`.
///
/// The compiled form is not part of the wasm: it is the file `levee.bin` beside it in the bundle, so that one wasm serves
/// any configuration. The build makes it from the file named here; the macro's argument is the name by which errors call it.
/// Where `levee.bin` is damaged or empty, each request is answered 500 with the reason.
#[macro_export]
macro_rules! config {
    ($source:literal) => {
        $crate::Config::bundled($source)
    };
}

/// Makes a Worker of an [`App`](crate::App): exports what the entry module calls. Once a program.
#[macro_export]
macro_rules! export {
    ($app:ty) => {
        const _: () = {
            use $crate::__private::{Env, Host, Incoming, JsValue, Uint8Array, wasm_bindgen};

            #[wasm_bindgen::prelude::wasm_bindgen(wasm_bindgen = $crate::__private::wasm_bindgen)]
            pub fn boot(host: Host, config: Option<Uint8Array>) {
                $crate::__private::boot::<$app>(host, config);
            }

            #[wasm_bindgen::prelude::wasm_bindgen(wasm_bindgen = $crate::__private::wasm_bindgen)]
            pub fn handle(
                request: Incoming,
                env: Env,
                context: JsValue,
                key: Option<String>,
                near: JsValue,
                far: JsValue,
            ) -> JsValue {
                $crate::__private::handle(request, env, context, key, near, far)
            }

            #[wasm_bindgen::prelude::wasm_bindgen(wasm_bindgen = $crate::__private::wasm_bindgen)]
            pub fn page(url: &str, env: Env) -> Option<u32> {
                $crate::__private::hits::page(url, &env)
            }

            #[wasm_bindgen::prelude::wasm_bindgen(wasm_bindgen = $crate::__private::wasm_bindgen)]
            pub fn names(page: u32) -> String {
                $crate::__private::hits::names(page)
            }

            #[wasm_bindgen::prelude::wasm_bindgen(wasm_bindgen = $crate::__private::wasm_bindgen)]
            pub fn kind(page: u32) -> u32 {
                $crate::__private::hits::kind(page)
            }

            #[wasm_bindgen::prelude::wasm_bindgen(wasm_bindgen = $crate::__private::wasm_bindgen)]
            pub fn field(page: u32, name: &str, value: &str) -> u8 {
                $crate::__private::hits::field(page, name, value)
            }

            #[wasm_bindgen::prelude::wasm_bindgen(wasm_bindgen = $crate::__private::wasm_bindgen)]
            pub fn plan(page: u32, fields: &str) -> i32 {
                $crate::__private::hits::plan(page, fields)
            }

            #[wasm_bindgen::prelude::wasm_bindgen(wasm_bindgen = $crate::__private::wasm_bindgen)]
            pub fn answer(plan: u32, size: u32, now: f64) -> i32 {
                $crate::__private::hits::answer(plan, size, now)
            }

            #[wasm_bindgen::prelude::wasm_bindgen(wasm_bindgen = $crate::__private::wasm_bindgen)]
            pub fn name(plan: u32) -> Option<String> {
                $crate::__private::hits::name(plan)
            }

            #[wasm_bindgen::prelude::wasm_bindgen(wasm_bindgen = $crate::__private::wasm_bindgen)]
            pub fn place(plan: u32) -> Option<String> {
                $crate::__private::hits::place(plan)
            }

            #[wasm_bindgen::prelude::wasm_bindgen(wasm_bindgen = $crate::__private::wasm_bindgen)]
            pub fn found(
                plan: u32,
                size: u32,
                now: f64,
                value: &Uint8Array,
                far: bool,
                env: Env,
                context: JsValue,
            ) -> i32 {
                $crate::__private::hits::found(plan, size, now, value, far, env, context)
            }

            #[wasm_bindgen::prelude::wasm_bindgen(wasm_bindgen = $crate::__private::wasm_bindgen)]
            pub fn forget() {
                $crate::__private::hits::forget();
            }

            #[wasm_bindgen::prelude::wasm_bindgen(wasm_bindgen = $crate::__private::wasm_bindgen)]
            pub fn scheduled(cron: String, time: f64, env: Env, context: JsValue) -> JsValue {
                $crate::__private::scheduled(cron, time, env, context)
            }
        };
    };
}
