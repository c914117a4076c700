package zhibu.sample;

import com.google.protobuf.ByteString;
import java.nio.file.Path;
import zhibu.api.v1.Query;
import zhibu.api.v1.Row;
import zhibu.client.Store;
import zhibu.records.v1.Meeting;

/** An app of ten lines: it records a meeting without a network, and lists what it has. */
public final class Sample {
  public static void main(String[] arguments) throws Exception {
    byte[] key = "0123456789abcdef0123456789abcdef".getBytes(); // the platform keeps it: Keystore
    try (Store store = Store.open(Path.of(arguments[0]), key)) {
      ByteString branch = ByteString.copyFrom(new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
      Meeting meeting = Meeting.newBuilder().setBranchId(branch).setTopic("七月党员大会").build();
      store.save(store.newRecord("Meeting"), meeting); // durable once it has returned
      for (Row row : store.list(Query.newBuilder().setType("Meeting").build()).getRowsList()) {
        System.out.println(Meeting.parseFrom(row.getBody()).getTopic());
      }
    }
  }
}
