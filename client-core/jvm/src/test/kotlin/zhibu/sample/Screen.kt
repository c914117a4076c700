package zhibu.sample

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.launch
import zhibu.api.v1.Difference
import zhibu.api.v1.EnrolOptions
import zhibu.api.v1.Query
import zhibu.api.v1.SessionOptions
import zhibu.client.Store
import zhibu.client.differences
import zhibu.client.enrol
import zhibu.client.inStep

/** A screen of meetings, in step with the server for as long as its scope lives. */
fun CoroutineScope.showMeetings(store: Store, code: String, show: (Difference) -> Unit): Job = launch {
    launch { store.differences(Query.newBuilder().setType("Meeting").build()).collect(show) }
    store.enrol(EnrolOptions.newBuilder().setCode(code).setDeviceName("手机").build())
    store.inStep(SessionOptions.newBuilder().setApp("sample 1.0").build()).collect {}
}
