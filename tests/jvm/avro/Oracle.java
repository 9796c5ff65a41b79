import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.avro.NameValidator;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;

/**
 * Says what Java's Avro makes of schemas. One JSON object a line in, one out:
 *
 * {"schema": text, "references": [text], "strict": bool}
 *     -> {"canonical": text, "resolved": text} or {"refused": why}
 * {"reader": text, "writer": text, "references": [text]} -> {"findings": [[kind, path, detail]]} or {"refused": why}
 */
public final class Oracle {
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    for (String line; (line = in.readLine()) != null;) {
      JsonNode request = JSON.readTree(line);
      ObjectNode answer = JSON.createObjectNode();
      try {
        if (request.has("schema")) {
          print(request, answer);
        } else {
          answer.set("findings", findings(request));
        }
      } catch (RuntimeException | StackOverflowError e) {
        answer.removeAll();
        answer.put("refused", String.valueOf(e));
      }
      out.println(JSON.writeValueAsString(answer));
    }
    out.flush();
  }

  /** Parses as a Confluent registry does: the references first, then the schema, with one parser. */
  private static Schema parse(String text, JsonNode references, boolean strict, List<Schema> parsedReferences) {
    Schema.Parser parser = new Schema.Parser(strict ? NameValidator.STRICT_VALIDATOR : NameValidator.NO_VALIDATION);
    parser.setValidateDefaults(strict);
    if (references != null) {
      for (JsonNode reference : references) {
        parsedReferences.add(parser.parse(reference.textValue()));
      }
    }
    return parser.parse(text);
  }

  /** The text that names the references' types, and the one that spells them out. */
  @SuppressWarnings("deprecation")
  private static void print(JsonNode request, ObjectNode answer) {
    List<Schema> references = new ArrayList<>();
    boolean strict = request.get("strict").booleanValue();
    Schema schema = parse(request.get("schema").textValue(), request.get("references"), strict, references);
    answer.put("canonical", schema.toString(references, false));
    answer.put("resolved", schema.toString());
  }

  private static ArrayNode findings(JsonNode request) {
    Schema reader = parse(request.get("reader").textValue(), request.get("references"), false, new ArrayList<>());
    Schema writer = parse(request.get("writer").textValue(), request.get("references"), false, new ArrayList<>());
    ArrayNode findings = JSON.createArrayNode();
    for (SchemaCompatibility.Incompatibility found : SchemaCompatibility
        .checkReaderWriterCompatibility(reader, writer).getResult().getIncompatibilities()) {
      findings.addArray().add(found.getType().name()).add(found.getLocation()).add(found.getMessage());
    }
    return findings;
  }
}
