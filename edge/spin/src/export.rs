//! The macros of a user's program.

/// The configuration compiled from a `levee.toml`.
///
/// The compiled form is not part of the wasm: it is the file `/levee.bin` of the component, so that one wasm serves any
/// configuration. The build makes it from the file named here; the macro's argument is the name by which errors call it.
/// Where it is missing or damaged, each request is answered 500 with the reason.
#[macro_export]
macro_rules! config {
    ($source:literal) => {
        $crate::Config::shipped($source)
    };
}

/// Makes a component of an [`App`](crate::App): exports `wasi:http/handler`. Once a program.
#[macro_export]
macro_rules! export {
    ($app:ty) => {
        const _: () = {
            use wasip3::http::types::{ErrorCode, Request, Response};
            use $crate::__private::wasip3;

            struct Component;
    wasip3::http::service::export!(Component with_types_in wasip3);

            impl wasip3::exports::http::handler::Guest for Component {
                async fn handle(request: Request) -> Result<Response, ErrorCode> {
                    $crate::__private::handle::<$app>(request).await
                }
            }
        };
    };
}
