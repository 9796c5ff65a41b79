import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.apache.avro.Schema;
import org.apache.avro.idl.IdlFile;
import org.apache.avro.idl.IdlReader;

/**
 * Says what Java's compiler makes of Avro IDL. One JSON object a line in, one out:
 *
 * {"idl": text, "folder": where its imports are}
 *     -> {"types": {full name: text}, "main": text or null} or {"refused": why}
 */
public final class Idl {
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    System.setErr(new PrintStream(PrintStream.nullOutputStream()));
    for (String line; (line = in.readLine()) != null;) {
      ObjectNode answer = JSON.createObjectNode();
      try {
        compile(JSON.readTree(line), answer);
      } catch (Exception | StackOverflowError e) {
        answer.removeAll();
        answer.put("refused", String.valueOf(e));
      }
      out.println(JSON.writeValueAsString(answer));
    }
    out.flush();
  }

  private static void compile(JsonNode request, ObjectNode answer) throws Exception {
    Path folder = Path.of(request.get("folder").textValue());
    IdlFile file = new IdlReader().parse(folder.toUri(), request.get("idl").textValue());
    ObjectNode types = answer.putObject("types");
    for (Schema schema : file.getNamedSchemas().values()) {
      types.put(schema.getFullName(), schema.toString());
    }
    Schema main = file.getMainSchema();
    answer.put("main", main == null ? null : main.toString());
  }
}
