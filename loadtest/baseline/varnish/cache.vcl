vcl 4.1;

# Varnish before the origin. What waits for a busy object is its own; the origin's Cache-Control says the lifetimes.
backend origin {
    .host = "127.0.0.1";
    .port = "{{origin_port}}";
    .max_connections = 64;
    .connect_timeout = 1s;
    .first_byte_timeout = 30s;
}

sub vcl_deliver {
    if (obj.hits > 0) {
        set resp.http.X-Cache-Status = "HIT";
    } else {
        set resp.http.X-Cache-Status = "MISS";
    }
}
