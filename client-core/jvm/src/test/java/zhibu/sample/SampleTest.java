package zhibu.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SampleTest {
  @Test
  void itRecordsAMeetingAndListsIt(@TempDir Path folder) throws Exception {
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    PrintStream before = System.out;
    System.setOut(new PrintStream(said, true, StandardCharsets.UTF_8));
    try {
      Sample.main(new String[] {folder.resolve("store").toString()});
    } finally {
      System.setOut(before);
    }
    assertEquals("七月党员大会", said.toString(StandardCharsets.UTF_8).strip());
  }

  @Test
  void thePageShowsThesePrograms() throws Exception {
    String page = Files.readString(Path.of("../../docs/embedding.md"));
    String java = Files.readString(Path.of("src/test/java/zhibu/sample/Sample.java"));
    String kotlin = Files.readString(Path.of("src/test/kotlin/zhibu/sample/Screen.kt"));
    assertTrue(page.contains("```java\n" + java + "```\n"));
    assertTrue(page.contains("```kotlin\n" + kotlin + "```\n"));
  }
}
