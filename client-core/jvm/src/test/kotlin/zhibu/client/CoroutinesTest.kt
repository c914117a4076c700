package zhibu.client

import com.google.protobuf.ByteString
import java.nio.file.Path
import java.util.concurrent.ConcurrentLinkedQueue
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.extension.ExtendWith
import org.junit.jupiter.api.io.TempDir
import zhibu.api.v1.Advice
import zhibu.api.v1.Difference
import zhibu.api.v1.EnrolOptions
import zhibu.api.v1.Query
import zhibu.api.v1.SessionOptions
import zhibu.records.v1.Meeting
import zhibu.sample.showMeetings
import zhibu.sync.v1.Reason

@ExtendWith(NothingLeftOpen::class)
class CoroutinesTest {
    @TempDir
    lateinit var folder: Path
    private lateinit var store: Store
    private val meetings = Query.newBuilder().setType("Meeting").build()
    private val branch = ByteString.copyFrom(ByteArray(16) { if (it == 15) 1 else 0 })

    @BeforeEach
    fun open() {
        store = Store.open(folder.resolve("store"), ByteArray(32) { 1 })
    }

    @AfterEach
    fun close() = store.close()

    private suspend fun meet(branch: ByteString = this.branch): ByteString = store.io {
        save(newRecord("Meeting"), Meeting.newBuilder().setBranchId(branch).setTopic("七月党员大会").build()).getIds(0)
    }

    private fun soon(test: suspend CoroutineScope.() -> Unit) = runBlocking { withTimeout(60_000, test) }

    @Test
    fun `what a store is asked is waited for on another thread, and its refusals come through`() = soon {
        val here = Thread.currentThread()
        assertNotEquals(here, store.io { Thread.currentThread() })
        assertEquals(Reason.NOT_ENROLLED, assertThrows<ZhibuException> { store.io { identity() } }.reason())
    }

    @Test
    fun `a watched list comes whole, then as differences, until its collector is cancelled`() = soon {
        val came = Channel<Difference>(Channel.UNLIMITED)
        val screen = launch { store.differences(meetings).collect { came.send(it) } }
        assertEquals(0, came.receive().insertedCount)
        val id = meet()
        assertEquals(id, came.receive().getInserted(0).row.id)
        screen.cancelAndJoin()
        assertEquals(1, Zhibu.live())
    }

    @Test
    fun `what happens while the collector is busy comes as one difference`() = soon {
        val free = CompletableDeferred<Unit>()
        val came = ConcurrentLinkedQueue<Difference>()
        val all = CompletableDeferred<Unit>()
        val first = CompletableDeferred<Unit>()
        val screen = launch {
            store.differences(meetings).collect {
                came += it
                first.complete(Unit)
                free.await()
                if (came.sumOf(Difference::getInsertedCount) == 20) all.complete(Unit)
            }
        }
        first.await()
        repeat(20) { meet() }
        free.complete(Unit)
        all.await()
        // Those that were on their way when the collector became busy are few.
        assertTrue(came.size < 20, "${came.size} differences")
        screen.cancelAndJoin()
    }

    @Test
    fun `asleep a watched list says nothing, awake it goes on`() = soon {
        val came = Channel<Difference>(Channel.UNLIMITED)
        val screen = launch { store.differences(meetings).collect { came.send(it) } }
        came.receive()
        store.io { suspend() }
        store.io { resume() }
        val id = meet()
        assertEquals(id, came.receive().getInserted(0).row.id)
        screen.cancelAndJoin()
    }

    @Test
    fun `what happens is told while it is collected, and ends with the store`() = soon {
        val told = async { store.happenings().toList() }
        while (Zhibu.live() < 2) delay(1)
        val id = meet()
        while (store.io { state() }.unsent < 1) delay(1)
        delay(100)
        store.io { close() }
        assertEquals(id, told.await().first().getChanged(0).id)
    }

    @Test
    fun `a first event that ends a flow closes what was opened for it`() = soon {
        val first = async { store.happenings().first() }
        while (Zhibu.live() < 2) delay(1)
        meet()
        first.await()
        assertEquals(1, Zhibu.live())
    }

    @Test
    fun `it is enrolled, comes in step, and stays so until it is cancelled`() = soon {
        Township().use { township ->
            assertEquals(Reason.NOT_ENROLLED, assertThrows<ZhibuException> { store.sync(SessionOptions.getDefaultInstance()) }.reason())
            store.enrol(EnrolOptions.newBuilder().setCode(township.code("secretary")).setDeviceName("手机").build())
            store.sync(SessionOptions.getDefaultInstance())
            val home = store.io { list(Query.newBuilder().setType("Organisation").build()) }.getRows(0).id
            val staying = launch { store.inStep(SessionOptions.getDefaultInstance()).collect {} }
            meet(home)
            while (store.io { state() }.unsent > 0) delay(20)
            staying.cancelAndJoin()
            assertEquals(1, Zhibu.live())
        }
    }

    @Test
    fun `the screen of the sample shows what the server has`() = soon {
        Township().use { township ->
            val came = Channel<Difference>(Channel.UNLIMITED)
            val screen = showMeetings(store, township.code("deputy")) { came.trySend(it) }
            while (came.receive().known != Difference.Known.WHOLE) {}
            screen.cancelAndJoin()
        }
    }

    @Test
    fun `closed underneath, what keeps it in step ends`() = soon {
        val staying = async { store.inStep(SessionOptions.getDefaultInstance()).toList() }
        while (Zhibu.live() < 3) delay(1)
        store.io { close() }
        assertTrue(staying.await().none { it.what == Advice.What.DONE })
    }
}
