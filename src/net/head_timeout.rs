//! Ends connections whose client begins the head of a request and does not finish it.
//!
//! A connection between two requests may stay idle as long as it likes: engines keep theirs.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// How far the requests of a connection are.
#[derive(Debug, Default)]
pub struct RequestProgress {
    /// Whether data has arrived that belongs to no request that has begun.
    has_unread: AtomicBool,
    /// How many requests have begun, and how many of them have ended.
    begun: AtomicU64,
    ended: AtomicU64,
    /// Whether the body of the request that has begun is not complete.
    is_receiving: AtomicBool,
    /// Whether the client has not finished a head in time.
    is_late: AtomicBool,
}

impl RequestProgress {
    /// The head of a request is complete. What follows belongs to the request until the result is dropped.
    pub fn begin(self: &Arc<Self>) -> RequestUnderWay {
        self.has_unread.store(false, Ordering::Relaxed);
        self.is_receiving.store(true, Ordering::Relaxed);
        self.begun.fetch_add(1, Ordering::Relaxed);
        RequestUnderWay(Arc::clone(self))
    }

    /// Whether the connection has ended because a head was not finished in time.
    pub fn is_late(&self) -> bool {
        self.is_late.load(Ordering::Relaxed)
    }

    /// Whether more of a request must come: its head or its body has begun and is not complete.
    pub fn awaits_more(&self) -> bool {
        self.unfinished().is_some() || self.is_receiving.load(Ordering::Relaxed)
    }

    /// The number of the request whose head has begun and is not complete.
    fn unfinished(&self) -> Option<u64> {
        let begun = self.begun.load(Ordering::Relaxed);
        let waits = self.has_unread.load(Ordering::Relaxed) && self.ended.load(Ordering::Relaxed) == begun;
        waits.then_some(begun)
    }
}

/// A request that is being served.
#[derive(Debug)]
pub struct RequestUnderWay(Arc<RequestProgress>);

impl RequestUnderWay {
    /// Its body is complete.
    pub fn received(&self) {
        self.0.is_receiving.store(false, Ordering::Relaxed);
    }
}

impl Drop for RequestUnderWay {
    fn drop(&mut self) {
        self.received();
        self.0.has_unread.store(false, Ordering::Relaxed);
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}

/// A connection's stream, whose reads fail when a head is not finished in time.
pub struct HeadTimeout<S> {
    stream: S,
    /// How long the head of a request may take from its first byte; without it any time.
    limit: Option<Duration>,
    progress: Arc<RequestProgress>,
    /// When the head of the request with this number must be complete.
    deadline: Option<(u64, Pin<Box<Sleep>>)>,
}

impl<S> HeadTimeout<S> {
    /// A stream with this limit.
    pub fn new(stream: S, limit: Option<Duration>, progress: Arc<RequestProgress>) -> Self {
        Self { stream, limit, progress, deadline: None }
    }

    /// Fails when it is time, and registers for that moment otherwise.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let (Some(limit), Some(request)) = (self.limit, self.progress.unfinished()) else {
            self.deadline = None;
            return Poll::Pending;
        };
        if self.deadline.as_ref().is_none_or(|(late, _)| *late != request) {
            self.deadline = Some((request, Box::pin(sleep(limit))));
        }
        if let Some((_, deadline)) = &mut self.deadline {
            ready!(deadline.as_mut().poll(cx));
        }
        self.progress.is_late.store(true, Ordering::Relaxed);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HeadTimeout<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let filled = buf.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buf) {
            Poll::Pending => this.poll_deadline(cx),
            read @ Poll::Ready(_) => {
                if buf.filled().len() > filled {
                    this.progress.has_unread.store(true, Ordering::Relaxed);
                }
                read
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HeadTimeout<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        // A reply is still being sent, and the client may wait for it.
        this.deadline = None;
        Pin::new(&mut this.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.deadline = None;
        Pin::new(&mut this.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, duplex},
        time::{Instant, timeout},
    };

    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn a_head_has_its_time_from_its_first_byte_however_slowly_it_comes() {
        let (mut client, server) = duplex(64);
        let progress = Arc::new(RequestProgress::default());
        let mut stream = HeadTimeout::new(server, Some(LIMIT), Arc::clone(&progress));
        let mut buf = [0; 64];
        // Before the first byte there is no limit.
        assert!(timeout(10 * LIMIT, stream.read(&mut buf)).await.is_err());
        let began = Instant::now();
        let client = tokio::spawn(async move {
            while client.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(7)).await;
            }
        });
        let error = loop {
            if let Err(error) = stream.read(&mut buf).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(progress.is_late() && (LIMIT..=LIMIT + Duration::from_secs(1)).contains(&began.elapsed()));
        drop(stream);
        client.await.expect("it does not panic");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_and_what_is_between_two_of_them_may_take_any_time() {
        let (mut client, server) = duplex(64);
        let progress = Arc::new(RequestProgress::default());
        let mut stream = HeadTimeout::new(server, Some(LIMIT), Arc::clone(&progress));
        let mut buf = [0; 64];
        for _ in 0..2 {
            client.write_all(b"head").await.expect("there is room");
            assert_eq!(stream.read(&mut buf).await.expect("it is read"), 4);
            let request = progress.begin();
            client.write_all(b"body").await.expect("there is room");
            assert_eq!(stream.read(&mut buf).await.expect("it is read"), 4);
            assert!(timeout(10 * LIMIT, stream.read(&mut buf)).await.is_err());
            drop(request);
            assert!(timeout(10 * LIMIT, stream.read(&mut buf)).await.is_err());
        }
        client.write_all(b"he").await.expect("there is room");
        assert_eq!(stream.read(&mut buf).await.expect("it is read"), 2);
        assert!(stream.read(&mut buf).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_a_head_may_take_any_time() {
        let (mut client, server) = duplex(64);
        let mut stream = HeadTimeout::new(server, None, Arc::default());
        client.write_all(b"he").await.expect("there is room");
        let mut buf = [0; 64];
        assert_eq!(stream.read(&mut buf).await.expect("it is read"), 2);
        assert!(timeout(100 * LIMIT, stream.read(&mut buf)).await.is_err());
    }
}
