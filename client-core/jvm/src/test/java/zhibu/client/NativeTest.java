package zhibu.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class NativeTest {
  @Test
  void everyFunctionOfTheHeaderHasItsNativeMethodAndTheOtherWayRound() throws Exception {
    String header = Files.readString(Path.of("../c/zhibu.h"));
    Set<String> declared = new TreeSet<>();
    Matcher function = Pattern.compile("ZHIBU_API [^;(]*?(zhibu_\\w+)\\(").matcher(header);
    while (function.find()) declared.add(nativeName(function.group(1)));
    declared.remove("free"); // what comes out is in Java's arrays
    Set<String> found = Arrays.stream(Native.class.getDeclaredMethods())
        .filter(method -> Modifier.isNative(method.getModifiers()))
        .map(Method::getName)
        .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(declared, found);
    assertTrue(Zhibu.abiVersion() > 0);
  }

  /** zhibu_watch_open is watchOpen; two are words of Java. */
  static String nativeName(String function) {
    String name = function.substring("zhibu_".length());
    if (name.equals("new")) return "newRecord";
    if (name.equals("try")) return "tryCommit";
    return Pattern.compile("_(\\w)").matcher(name).replaceAll(letter -> letter.group(1).toUpperCase());
  }
}
