// What a store is to a coroutine: its file is waited for off the main thread, what happens in it is a
// Flow, and whatever was opened for that is closed when the coroutine ends or is cancelled.
package zhibu.client

import java.time.Duration
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.flow.lastOrNull
import kotlinx.coroutines.runInterruptible
import kotlinx.coroutines.withContext
import zhibu.api.v1.Advice
import zhibu.api.v1.Difference
import zhibu.api.v1.EnrolOptions
import zhibu.api.v1.Query
import zhibu.api.v1.SessionOptions
import zhibu.sync.v1.Reason

/** `store.io { list(query) }`, from any thread: all that a store is asked waits for its file. */
suspend fun <T> Store.io(block: Store.() -> T): T = withContext(Dispatchers.IO) { block() }

/** What happens in the store, for as long as it is collected; ends where the store is closed. */
fun Store.happenings(): Flow<zhibu.api.v1.Events> = flow {
    whenever { events ->
        val next = ifOpen(events::next) ?: return@whenever
        if (next != zhibu.api.v1.Events.getDefaultInstance()) emit(next)
    }
}.offMainThread()

/**
 * A list for a screen: first the whole of it, as inserted, then what has become otherwise. What
 * happens while the collector is busy comes as one difference.
 */
fun Store.differences(query: Query): Flow<Difference> = flow {
    watch(query).use { watch ->
        var first = true
        whenever {
            val difference = ifOpen(watch::next) ?: return@whenever
            if (first || difference != Difference.getDefaultInstance()) emit(difference)
            first = false
        }
    }
}.offMainThread()

/** Makes the device known to its server. */
suspend fun Store.enrol(
    options: EnrolOptions,
    transport: Transport = GrpcTransport(),
    timeout: Duration = Duration.ofSeconds(30),
) = runInterruptible(Dispatchers.IO) { Mover.enrol(this, options, transport, timeout) }

/**
 * Keeps the store in step with its server for as long as it is collected, and says what the core
 * advises; one that is `once` ends with DONE or STOP.
 */
fun Store.inStep(options: SessionOptions, transport: Transport = GrpcTransport()): Flow<Advice> = callbackFlow {
    val mover = Mover.start(this@inStep, options, transport) { advice -> trySend(advice) }
    mover.end().whenComplete { _, problem -> close(problem?.takeUnless { mover.end().isCancelled }) }
    awaitClose { mover.close() }
}.buffer(Channel.CONFLATED).flowOn(Dispatchers.IO)

/** Until all is sent and received; throws what was in the way. */
suspend fun Store.sync(options: SessionOptions, transport: Transport = GrpcTransport()) {
    val end = inStep(options.toBuilder().setOnce(true).build(), transport).lastOrNull()
    when (end?.what) {
        Advice.What.DONE -> Unit
        Advice.What.STOP -> throw ZhibuException.of(end.why)
        else -> throw IllegalStateException("the store was closed meanwhile")
    }
}

/** Nothing is asked for before the collector takes it. */
private fun <T> Flow<T>.offMainThread(): Flow<T> = buffer(Channel.RENDEZVOUS).flowOn(Dispatchers.IO)

/** At once, and after each time that something has happened. */
private suspend fun Store.whenever(something: suspend (Events) -> Unit) {
    val rung = Channel<Unit>(Channel.CONFLATED)
    val listener = object : Events.Listener {
        override fun happened() {
            rung.trySend(Unit)
        }

        override fun over() {
            rung.close()
        }
    }
    events(listener).use { events ->
        rung.trySend(Unit)
        for (ring in rung) something(events)
    }
}

/** Asleep there is nothing to say, until the store is awake; closed, never any more. */
private fun <T> ifOpen(next: () -> T): T? = try {
    next()
} catch (e: ZhibuException) {
    if (e.reason() != Reason.SUSPENDED && !e.isClosed) throw e
    null
}
